"""A guess at the language of a text, offline and cheap: its script first, common little words second.

A model (py3langid) would load 5 MB and NumPy for short texts that it tells little better; routing needs a hint, and says
`und` where there is none.
"""

import re
from collections import Counter

ENOUGH_CHARACTERS = 3_000
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
ADDRESS = re.compile(r"https?://\S{1,500}|\S{1,100}@\S{1,100}")

SCRIPTS = (
    ("ja", 0x3040, 0x30FF), ("ko", 0xAC00, 0xD7AF), ("ko", 0x1100, 0x11FF), ("zh", 0x4E00, 0x9FFF), ("th", 0x0E00, 0x0E7F),
    ("he", 0x0590, 0x05FF), ("ar", 0x0600, 0x06FF), ("el", 0x0370, 0x03FF), ("hi", 0x0900, 0x097F), ("bn", 0x0980, 0x09FF),
    ("ta", 0x0B80, 0x0BFF), ("te", 0x0C00, 0x0C7F), ("ka", 0x10A0, 0x10FF), ("hy", 0x0530, 0x058F), ("km", 0x1780, 0x17FF),
    ("cyrillic", 0x0400, 0x04FF),
)  # fmt: skip

WORDS = {
    "en": "the and you for is are to of in that this with have not please my your can we it be on was hello thanks would i has "
    "been from will any regards dear do if as an by get just what when how but so our me there hi order still "
    "about these those let's all one more only no yes some why where need want could should than then up out them he she",
    "de": "wo mein paket bestellung danke der die das und ich nicht sie ist mit für ein eine den auf zu wir bitte haben auch es von im dem sich mein meine wie "
    "noch wurde kann hallo danke grüße aber ihr ihre bei oder nach mir uns ihnen guten sehr geehrte habe bin wird",
    "fr": "où commande le la les de des et un une je vous est pas pour que dans sur avec ne ce mon ma merci bonjour nous en du au qui plus "
    "votre cordialement j'ai être suis mais été par il elle mes si c'est sont avez aux cette",
    "es": "dónde pedido cuándo el la los las de y un una que no es por para con en mi su se gracias hola me lo como pero más está del al tengo muy "
    "puede saludos este esta pedido buenos días he ha usted si qué cuando ya le",
    "pt": "o a os as de e um uma que não é por para com em meu minha se obrigado obrigada olá você mas mais está do da no na ao "
    "muito pode bom dia este esta pedido já foi são tenho eu uma seu sua ou",
    "it": "il la le gli di e un una che non è per con in mi si grazie ciao sono ma più della del dei nel alla questo questa ho "
    "buongiorno mio mia come anche saluti vi lo da ordine stato cosa buon ancora",
    "nl": "de het een en ik niet is van voor met op dat te mijn u we zijn hebben graag bedankt hallo maar ook wel naar bij er aan "
    "om wordt kan groet vriendelijke dit deze als heb nog geen jullie wat bestelling",
    "da": "hvor pakke ordre jeres og det er ikke jeg at en et på med til af for har som den vi kan hej tak hilsen mig min mit der være venlig fra men "
    "om også hvad hvordan nu jeres skal mvh blev",
    "no": "og det er ikke jeg at en et på med til av for har som den vi kan hei takk hilsen meg min mitt være vennlig fra men om "
    "også hva hvordan nå deres skal mvh ble noe",
    "sv": "och det är inte jag att en ett på med till av för har som den vi kan hej tack hälsningar mig min mitt vara vänliga från "
    "men om också vad hur nu er ska mvh blev något vänlig",
    "fi": "missä milloin tilaukseni on ja on ei että se minä hän olen kun mutta myös tai jos niin kuin mitä hei kiitos terveisin tämä oli ovat voi mukaan "
    "vielä nyt minun teidän ole kanssa tilaus saa",
    "pl": "i w nie na do się z jest to że jak za od dla co po ale czy mam proszę dzień dobry dziękuję pozdrawiam są mnie mój moje "
    "przez tego być ten jeszcze państwa zamówienie o już",
    "cs": "kde je a je se na že v do to s z za jsem pro jak by ale prosím dobrý den děkuji pozdravem jsou mám není při od jako můj mi "
    "která které už vás nebo objednávku co",
    "sk": "kde a je sa na že v do to s z za som pre ako by ale prosím dobrý deň ďakujem pozdravom sú mám nie pri od môj mi ktorá "
    "ktoré už vás alebo čo objednávku",
    "hu": "hol rendelésem mikor a az és nem hogy is egy van meg ez ha de már csak kell mint lehet köszönöm üdvözlettel jó napot kérem még volt szeretném "
    "nekem önök vagy ki mit tisztelt",
    "ro": "și si de la în nu că este pe cu un o pentru din mai am sunt care ce mulțumesc bună ziua vă rog dar să fi foarte "
    "comanda mea meu sau prin către",
    "tr": "nerede siparişim ne zaman ve bir bu için ile de da ne ben siz değil var yok çok merhaba teşekkürler lütfen olarak daha gibi sipariş kadar ama "
    "iyi günler mi mı selam rica ederim olan",
    "id": "yang dan di ini itu untuk dengan tidak saya dari ke ada akan kami anda bisa terima kasih selamat pada sudah atau juga "
    "apa mohon pesanan belum",
    "vi": "và là của không tôi có được cho với này bạn một các xin chào cảm ơn trong đã đến những khi như vui lòng",
    "ca": "el la els les de i un una que no és per amb en meu meva gràcies hola però més està del al què si bon dia sóc vostè "
    "aquest aquesta ho",
    "hr": "i je u na da se za ne sam su od s to kao ali molim hvala dobar dan pozdrav što ili već biti moj moja može nije narudžba",
    "sl": "in je v na da se za ne sem so od s to kot ali prosim hvala dober dan pozdrav kaj že biti moj moja lahko ni naročilo ki",
    "lt": "ir yra į kad ne su aš tai bet už ar labas ačiū prašau dėl iš kaip jau mano gali apie nėra",
    "lv": "un ir uz ka ne ar es tas bet par vai labdien paldies lūdzu no kā jau mans var nav šo pie",
    "et": "ja on ei et see ma kui aga ka või tere aitäh palun oma mis seda veel minu kas tänan nii kuid oli",
}  # fmt: skip
CYRILLIC_WORDS = {
    "ru": "и в не на я что с по это как но за у из для мне вы здравствуйте спасибо пожалуйста уважением был есть мой заказ еще уже",
    "uk": "і в не на я що з по це як але за у із для мені ви вітаю дякую будь ласка повагою був є мій замовлення ще вже та",
    "bg": "и в не на аз че с по това как но за у от да ми вие здравейте благодаря моля уважение беше е моята поръчка още вече се",
    "sr": "и у не на ја да са по то као али за од је ми ви здраво хвала молим поздрав био моја поруџбина још већ се су",
}
_VOCABULARY = {
    word: frozenset(language for language, words in WORDS.items() if word in words.split())
    for words in WORDS.values()
    for word in words.split()
}
_CYRILLIC_VOCABULARY = {
    word: frozenset(language for language, words in CYRILLIC_WORDS.items() if word in words.split())
    for words in CYRILLIC_WORDS.values()
    for word in words.split()
}
UKRAINIAN, BELARUSIAN, SERBIAN = frozenset("іїєґ"), frozenset("ў"), frozenset("ђјљњћџ")
PERSIAN = frozenset("پچژگ")


def guess_language(text: str) -> str:
    """A BCP 47 language subtag, or `und` where the text is too short or speaks for none."""
    sample = text[:ENOUGH_CHARACTERS].lower()
    if "@" in sample or "http" in sample:  # most have none, and looking closely is dear
        sample = ADDRESS.sub(" ", sample)
    characters = Counter(sample)
    scripts = _scripts(characters)
    letters = sum(times for character, times in characters.items() if character.isalpha())
    if not letters:
        return "und"
    has_kana = scripts["ja"] > 0 and scripts["ja"] * 10 >= scripts["zh"]
    if has_kana and (scripts["ja"] + scripts["zh"]) * 4 >= letters:
        return "ja"
    script, count = max(scripts.items(), key=lambda item: item[1], default=("", 0))
    if count * 3 >= letters:
        if script == "cyrillic":
            return _cyrillic(sample)
        if script == "ar" and PERSIAN & set(sample):
            return "fa"
        return script
    return _by_words(sample, _VOCABULARY)


def _scripts(characters: Counter[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for character, times in characters.items():
        if character < "\u0370":
            continue
        point = ord(character)
        for script, first, last in SCRIPTS:
            if first <= point <= last:
                counts[script] += times
                break
    return counts


def _cyrillic(sample: str) -> str:
    seen = set(sample)
    if BELARUSIAN & seen:
        return "be"
    if UKRAINIAN & seen:
        return "uk"
    if SERBIAN & seen:
        return "sr"
    found = _by_words(sample, _CYRILLIC_VOCABULARY)
    return found if found != "und" else "ru"


def _by_words(sample: str, vocabulary: dict[str, frozenset[str]]) -> str:
    words = WORD.findall(sample)
    scores: Counter[str] = Counter()
    for word, times in Counter(words).items():
        languages = vocabulary.get(word, frozenset())
        for language in languages:
            # A word that many languages share says little.
            scores[language] += 12 // len(languages) * times
    if not scores:
        return "und"
    best = scores.most_common(2)
    runner_up = best[1][1] if len(best) > 1 else 0
    language, score = best[0]
    # One telling word is enough for a line of a few words, not for a page.
    if score < min(24, 4 * len(words)) or score < len(words) or score * 10 < runner_up * 11:
        return "und"
    return language
