"""Domains at which anybody can have an address: they say nothing of whom somebody belongs to, and are blocked by nobody."""

SHARED = frozenset(
    """
    126.com 163.com 21cn.com aim.com alice.it aliyun.com aol.com arcor.de bigpond.com bluewin.ch btinternet.com
    centrum.cz charter.net comcast.net cox.net daum.net duck.com earthlink.net eircom.net email.com email.cz emirates.net.ae
    eudora.com fastmail.com fastmail.fm foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
    googlemail.com hanmail.net hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it hushmail.com
    icloud.com inbox.com inbox.lv inbox.ru indiatimes.com interia.pl juno.com kabelmail.de laposte.net libero.it list.ru live.co.uk
    live.com live.de live.fr live.it live.nl lycos.com mac.com mail.bg mail.com mail.de mail.ee mail.ru mailbox.org me.com
    msn.com mynet.com naver.com neuf.fr ntlworld.com o2.pl o2online.de online.de onet.eu onet.pl op.pl optonline.net orange.fr
    outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me poczta.onet.pl posteo.de posteo.net proton.me protonmail.ch
    protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com runbox.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com
    sky.com sohu.com sympatico.ca t-online.de talktalk.net telenet.be terra.com.br tin.it tiscali.it tlen.pl tuta.com tuta.io tutanota.com
    ukr.net uol.com.br verizon.net virgilio.it virgin.net virginmedia.com vodafone.de volny.cz walla.co.il wanadoo.fr web.de wp.pl
    xs4all.nl yahoo.ca yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.mx
    yahoo.de yahoo.es yahoo.fr yahoo.gr yahoo.ie yahoo.it yahoo.pl yahoo.ro yandex.com yandex.ru yeah.net ymail.com ziggo.nl zoho.com
    chmail.ir mailfa.com
    """.split()  # noqa: SIM905  a table that is read by people
)


def is_shared(domain: str) -> bool:
    """Whether the domain is a provider's of mail for everybody."""
    return domain.lower().rstrip(".") in SHARED
