"""What is new in a reply, in many languages and from many programs."""

import pytest

from connectors.email.parse import split_reply
from tests.connectors.email.parse.mails import with_body

NEW = "Thank you, that works."

ANNOUNCEMENTS = [
    "On Mon, 2 Mar 2026 at 09:00, Help <help@example.com> wrote:",
    "On Mon, 2 Mar 2026 at 09:00, Help Desk of the Example Company\n<help@example.com>\nwrote:",
    "Am Mo., 2. März 2026 um 09:00 Uhr schrieb Help <help@example.com>:",
    "Am 02.03.2026 um 09:00 schrieb Help:",
    "Le lun. 2 mars 2026 à 09:00, Help <help@example.com> a écrit :",
    "El lun, 2 mar 2026 a las 9:00, Help (<help@example.com>) escribió:",
    "Em seg., 2 de mar. de 2026 às 09:00, Help <help@example.com> escreveu:",
    "Il giorno lun 2 mar 2026 alle ore 09:00 Help <help@example.com> ha scritto:",
    "Op ma 2 mrt 2026 om 09:00 schreef Help <help@example.com>:",
    "Den man. 2. mar. 2026 kl. 09.00 skrev Help <help@example.com>:",
    "Den mån 2 mars 2026 kl 09:00 skrev Help <help@example.com>:",
    "man. 2. mars 2026 kl. 09:00 skrev Help <help@example.com>:",
    "ma 2. maalisk. 2026 klo 9.00 Help (help@example.com) kirjoitti:",
    "pon., 2 mar 2026 o 09:00 Help <help@example.com> napisał(a):",
    "W dniu 2026-03-02 09:00:00 użytkownik Help <help@example.com> napisał:",
    "po 2. 3. 2026 v 9:00 odesílatel Help <help@example.com> napsal:",
    "po 2. 3. 2026 o 9:00 Help <help@example.com> napísal(a):",
    "Help <help@example.com> ezt írta (időpont: 2026. márc. 2., H, 9:00):",
    "În lun., 2 mar. 2026 la 09:00, Help <help@example.com> a scris:",
    "пн, 2 мар. 2026 г. в 09:00, Help <help@example.com>:",
    "2 марта 2026 г., в 9:00, Help <help@example.com> написал(а):",
    "пн, 2 бер. 2026 р. о 09:00 Help <help@example.com> пише:",
    "На пн, 2.03.2026 г. в 9:00 Help <help@example.com> написа:",
    "Στις Δευ 2 Μαρ 2026 στις 9:00 π.μ., ο/η Help <help@example.com> έγραψε:",
    "Help <help@example.com>, 2 Mar 2026 Pzt, 09:00 tarihinde şunu yazdı:",
    "Vào Th 2, 2 thg 3, 2026 vào lúc 09:00 Help <help@example.com> đã viết:",
    "Pada tanggal Sen, 2 Mar 2026 pukul 09.00 Help <help@example.com> menulis:",
    "2026年3月2日(月) 9:00 Help <help@example.com>:",
    "2026年3月2日 9:00，Help <help@example.com> 写道：",
    "Help <help@example.com> 於 2026年3月2日 週一 上午9:00寫道：",
    "2026년 3월 2일 (월) 오전 9:00, Help <help@example.com>님이 작성:",
    "\u202bבתאריך יום ב׳, 2 במרץ 2026 ב-9:00 מאת \u202aHelp\u202c\u200f <\u202ahelp@example.com\u202c\u200f>:",
    "في الاثنين، 2 مارس 2026 في 9:00 ص تمت كتابة ما يلي بواسطة Help <help@example.com>:",
    "---- On Mon, 02 Mar 2026 09:00:00 +0100 help@example.com wrote ----",
    '02.03.2026, 09:00, "Help" <help@example.com>:',
    "Monday, 2 March 2026, 9:00 AM +0100 from Help <help@example.com>:",
]


@pytest.mark.parametrize("announcement", ANNOUNCEMENTS)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_what_stands_below_an_announcement_is_quoted(announcement: str, mark: str) -> None:
    text = f"{NEW}\n\n{announcement}\n\n{mark}Please try it again.\n{mark}Help"
    assert split_reply(text).new == NEW


HEADER_BLOCKS = [
    "From: Help\nSent: Monday, March 2, 2026 9:00 AM\nTo: Ada\nSubject: x",
    "*From:* Help\n*Sent:* Monday\n*To:* Ada\n*Subject:* x",
    "From: Help with a very long name\n<help@example.com>\nDate: Monday\nTo: Ada\nSubject: x",
    "Von: Help\nGesendet: Montag, 2. März 2026 09:00\nAn: Ada\nBetreff: x",
    "De : Help\nEnvoyé : lundi 2 mars 2026 09:00\nÀ : Ada\nObjet : x",
    "De: Help\nEnviado: lunes, 2 de marzo de 2026 9:00\nPara: Ada\nAsunto: x",
    "De: Help\nEnviada em: segunda-feira\nPara: Ada\nAssunto: x",
    "Da: Help\nInviato: lunedì 2 marzo 2026 09:00\nA: Ada\nOggetto: x",
    "Van: Help\nVerzonden: maandag 2 maart 2026 09:00\nAan: Ada\nOnderwerp: x",
    "Fra: Help\nSendt: 2. marts 2026 09:00\nTil: Ada\nEmne: x",
    "Från: Help\nSkickat: den 2 mars 2026 09:00\nTill: Ada\nÄmne: x",
    "Lähettäjä: Help\nLähetetty: maanantai 2. maaliskuuta 2026\nVastaanottaja: Ada\nAihe: x",
    "Od: Help\nWysłano: poniedziałek, 2 marca 2026\nDo: Ada\nTemat: x",
    "Od: Help\nOdesláno: pondělí 2. března 2026\nKomu: Ada\nPředmět: x",
    "Feladó: Help\nElküldve: 2026. március 2.\nCímzett: Ada\nTárgy: x",
    "От: Help\nОтправлено: 2 марта 2026 г.\nКому: Ada\nТема: x",
    "Kimden: Help\nGönderildi: 2 Mart 2026\nKime: Ada\nKonu: x",
    "发件人: Help\n发送时间: 2026年3月2日\n收件人: Ada\n主题: x",
    "差出人: Help\n送信日時: 2026年3月2日\n宛先: Ada\n件名: x",
    "보낸 사람: Help\n보낸 날짜: 2026년 3월 2일\n받는 사람: Ada\n제목: x",
    "-----Original Message-----\nplain words",
    "-----Ursprüngliche Nachricht-----\nirgendetwas",
    "-------- Message d'origine --------\nquelque chose",
    "________________________________\nFrom: Help\nSent: Monday\nTo: Ada\nSubject: x",
]


@pytest.mark.parametrize("block", HEADER_BLOCKS)
def test_what_stands_below_a_header_block_is_quoted(block: str) -> None:
    assert split_reply(f"{NEW}\n\n{block}\n\nPlease try it again.").new == NEW


SIGNATURES = [
    "-- \nAda\nExample Ltd",
    "--\nAda",
    "—\nAda",
    "_______________\nAda\n+44 1",
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Отправлено с iPhone",
    "iPhoneから送信",
    "发自我的iPhone",
    "나의 iPhone에서 보냄",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_is_not_part_of_what_is_new(signature: str) -> None:
    assert split_reply(f"{NEW}\n\n{signature}").new == NEW


@pytest.mark.parametrize(
    "text",
    [
        "On the one hand it works.\nOn the other hand: not always.",
        "From: the warehouse we heard nothing.\nIs that normal?",
        "It was sent from my office, I think.",
        "Sent from my desk, which is easier than my phone.",
        "The list:\n-- one\n-- two",
        "Costs\n----\n1. one\n----\nThat is all.",
        "I wrote: hello.",
        "2026-03-02 14:30\nis when it happened.",
        "Subject: is that the field?\nYes.",
    ],
)
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert split_reply(text).new == text


def test_answers_between_the_quoted_lines_stay_without_them() -> None:
    text = "On Mon, 2 Mar 2026 at 09:00, Help <help@example.com> wrote:\n> One?\n\nYes.\n\n> Two?\n\nNo.\n"
    assert split_reply(text).new == "Yes.\n\nNo."


def test_an_answer_below_the_quote_is_what_is_new() -> None:
    text = "On 2 Mar 2026 09:00, Help wrote:\n> Does it work?\n\nIt does.\n\n-- \nAda"
    assert split_reply(text).new == "It does."


def test_a_forwarded_mail_is_told_from_an_answered_one() -> None:
    text = (
        "Please see below.\n\n---------- Forwarded message ---------\nFrom: a\nDate: b\nSubject: c\n\nwords"
    )
    split = split_reply(text)
    assert (split.new, split.is_forward) == ("Please see below.", True)


def test_a_clear_signed_text_loses_its_armor() -> None:
    mail = with_body(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nIt works.\n- -- not a mark\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
    )
    assert mail.text_new == "It works.\n-- not a mark"
    assert "signed_unverified" in mail.flags
