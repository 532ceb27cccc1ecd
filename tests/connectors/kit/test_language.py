"""The guess at a language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.language import guess_language

TEXTS = {
    "en": "Hello, I have not received my order yet. Can you please tell me when it will be delivered?",
    "de": "Guten Tag, ich habe meine Bestellung noch nicht erhalten. Können Sie mir bitte sagen, wann sie kommt?",
    "fr": "Bonjour, je n'ai pas encore reçu ma commande. Pouvez-vous me dire quand elle sera livrée ?",
    "es": "Hola, todavía no he recibido mi pedido. ¿Me pueden decir cuándo va a llegar, por favor?",
    "pt": "Olá, ainda não recebi o meu pedido. Podem dizer-me quando será entregue, por favor? Obrigado.",
    "it": "Buongiorno, non ho ancora ricevuto il mio ordine. Potete dirmi quando sarà consegnato, per favore?",
    "nl": "Goedendag, ik heb mijn bestelling nog niet ontvangen. Kunt u mij zeggen wanneer het wordt geleverd?",
    "sv": "Hej, jag har inte fått min beställning än. Kan ni säga när den kommer att levereras? Tack på förhand.",
    "da": "Hej, jeg har ikke modtaget min ordre endnu. Kan I fortælle mig, hvornår den bliver leveret? Venlig hilsen",
    "fi": "Hei, en ole vielä saanut tilaustani. Voitteko kertoa, milloin se toimitetaan? Kiitos, terveisin Ada",
    "pl": "Dzień dobry, nie otrzymałem jeszcze mojego zamówienia. Czy mogą Państwo powiedzieć, kiedy będzie?",
    "cs": "Dobrý den, ještě jsem neobdržel svou objednávku. Můžete mi prosím říct, kdy bude doručena? Děkuji.",
    "hu": "Jó napot, még nem kaptam meg a rendelésemet. Kérem, mondják meg, mikor érkezik. Köszönöm.",
    "ro": "Bună ziua, nu am primit încă comanda mea. Îmi puteți spune vă rog când va fi livrată? Mulțumesc.",
    "tr": "Merhaba, siparişim hala gelmedi. Ne zaman teslim edileceğini söyleyebilir misiniz lütfen? Teşekkürler.",
    "ru": "Здравствуйте, я ещё не получил свой заказ. Скажите, пожалуйста, когда его доставят?",
    "uk": "Вітаю, я ще не отримав своє замовлення. Скажіть, будь ласка, коли його доставлять?",
    "el": "Γεια σας, δεν έχω λάβει ακόμα την παραγγελία μου.",
    "he": "שלום, עדיין לא קיבלתי את ההזמנה שלי.",
    "ar": "مرحبا، لم أستلم طلبي بعد. متى سيتم التسليم؟",
    "fa": "سلام، سفارش من هنوز نرسیده است. چه زمانی می‌رسد؟",
    "ja": "こんにちは、注文した商品がまだ届いていません。",
    "zh": "您好，我还没有收到我的订单。请问什么时候送达？",
    "ko": "안녕하세요, 아직 주문을 받지 못했습니다.",
    "th": "สวัสดี ฉันยังไม่ได้รับคำสั่งซื้อ",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_is_enough(language: str) -> None:
    assert guess_language(TEXTS[language]) == language


@pytest.mark.parametrize(
    "text", ["", "12345", "https://example.com/the/and/for", "ada@example.org", "xyzzy plugh"]
)
def test_what_tells_nothing_is_undetermined(text: str) -> None:
    assert guess_language(text) == "und"


@given(st.text())
def test_any_text_gives_a_short_tag(text: str) -> None:
    assert 2 <= len(guess_language(text)) <= 3
