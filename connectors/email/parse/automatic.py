"""Signs that no person wrote a mail, or that no machine may answer it (RFC 3834, RFC 2369, RFC 2919, and older habits)."""

import re

from connectors.email.parse.headers import Headers
from connectors.email.parse.model import MailFlag

# Subjects that vacation responders begin with. Exchange's and the mail providers' own wordings, by language.
ANSWER_SUBJECTS = tuple(
    """automatic reply|auto reply|auto-reply|autoreply|auto response|auto-response|out of office|out-of-office
    |out of the office|ooo:|[auto-reply]|[autoreply]|vacation reply|automatische antwort|abwesenheitsnotiz
    |abwesenheitsmeldung|automatische rückmeldung|autoantwort|réponse automatique|reponse automatique
    |absence du bureau|message d'absence|absent du bureau|respuesta automática|respuesta automatica
    |fuera de la oficina|fuera de oficina|resposta automática|resposta automatica|fora do escritório
    |risposta automatica|fuori ufficio|messaggio automatico|automatisch antwoord|automatische beantwoording
    |buiten kantoor|autosvar|automatiskt svar|automatisk svar|ej på kontoret|fraværsmelding
    |automaattinen vastaus|autom. vastaus|odpowiedź automatyczna|autoodpowiedź|automatyczna odpowiedź
    |poza biurem|automatická odpověď|automatická odpoveď|automatikus válasz|irodán kívül|răspuns automat
    |raspuns automat|автоответ|автоматический ответ|автоматична відповідь|автоматичен отговор
    |αυτόματη απάντηση|otomatik yanıt|otomatik cevap|ofis dışında|automatski odgovor|samodejni odgovor
    |automātiska atbilde|automatinis atsakymas|automaatvastus|自動返信|自動応答|自动回复|自動回覆|自动答复|자동 회신|자동 응답|رد تلقائي
    |رد آلي|מענה אוטומטי|תשובה אוטומטית|trả lời tự động|การตอบกลับอัตโนมัติ|ตอบกลับอัตโนมัติ|balasan otomatis
    |jawapan automatik|resposta automàtica|erantzun automatikoa""".replace("\n    ", "").split("|")
)
# Words of absence, with which customers begin a subject too: they need a second sign of a machine.
ABSENCE_SUBJECTS = tuple(
    """i am away|on vacation|abwesend|abwesenheit|absence :|absent :|ausente|ausência|ausente do escritório
    |fuori sede|assenza|afwezigheid|afwezig|niet aanwezig|frånvaro|frånvarande|fravær|ikke til stede|poissa
    |poissaolo|nieobecność|mimo kancelář|nepřítomnost|házon kívül|нет на работе|不在通知|外出|부재중|away from my mail
    |auto:""".replace("\n    ", "").split("|")
)
REPLY_PREFIX = re.compile(
    r"(?:(?:re|aw|sv|antw|odp|r|fwd?|wg|tr|vs|res|ynt|回复|答复|返信)\s*[::]\s*){1,5}", re.IGNORECASE
)
AUTO_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-auto-reply",
    "x-autoresponder",
    "x-vacation",
    "x-mail-autoreply",
)
SAYS_YES = frozenset({"yes", "true", "1", "y"})
BULK_PRECEDENCE = frozenset({"bulk", "junk", "list"})
LIST_HEADERS = (
    "list-id",
    "list-post",
    "list-help",
    "mailing-list",
    "x-mailing-list",
    "list-archive",
    "x-mailman-version",
)


def auto_submitted(headers: Headers) -> str:
    """The keyword of Auto-Submitted in lower case, empty where a person sent the mail."""
    keyword = headers.raw("auto-submitted").partition(";")[0].partition(" ")[0].strip().lower()
    return "" if keyword == "no" else keyword


def has_answer_subject(headers: Headers, subject: str) -> bool:
    plain = REPLY_PREFIX.sub("", subject, count=1).strip().lower()
    if plain.startswith(ANSWER_SUBJECTS):
        return True
    return plain.startswith(ABSENCE_SUBJECTS) and _has_machine_sign(headers)


def _has_machine_sign(headers: Headers) -> bool:
    return (
        headers.raw("return-path") == "<>"
        or headers.raw("precedence").lower() in BULK_PRECEDENCE
        or bool(auto_submitted(headers))
        or "x-auto-response-suppress" in headers
    )


def is_auto_reply(headers: Headers, subject: str) -> bool:
    """A machine answered. What a machine sends on its own (a notice, a newsletter) is a message."""
    submitted = auto_submitted(headers)
    if submitted.startswith(("auto-replied", "auto-reply", "autoreplied")):
        return True
    # RFC 3834 (5.1) keeps auto-generated for mail that answers nothing; responders use it for answers all the same.
    if submitted.startswith("auto-generated") and ("in-reply-to" in headers or "references" in headers):
        return True
    if any(headers.raw(name).lower() not in ("", "no", "false") for name in AUTO_HEADERS):
        return True
    if headers.raw("precedence").lower() in ("auto_reply", "auto-reply", "autoreply"):
        return True
    if headers.raw("x-precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    if (
        headers.raw("preference").lower() == "auto_reply"
        or headers.raw("x-mail-auto-reply")
        or headers.raw("x-fc-machinegenerated")
    ):
        return True
    if (
        headers.raw("delivered-to").lower() == "autoresponder"
        or "vacation" in headers.raw("x-mailer").lower()
    ):
        return True
    return has_answer_subject(headers, subject)


def automatic_flags(headers: Headers, subject: str, return_path: str | None) -> set[MailFlag]:
    flags: set[MailFlag] = set()
    if (
        auto_submitted(headers)
        or is_auto_reply(headers, subject)
        or headers.raw("x-auto-response-suppress").lower() in ("all", "oof, autoreply")
    ):
        flags.add("auto")
    suppressed = {word.strip() for word in headers.raw("x-auto-response-suppress").lower().split(",")}
    if suppressed & {"all", "oof", "autoreply"}:
        flags.add("suppress_auto_reply")
    precedence = headers.raw("precedence").lower()
    if precedence in BULK_PRECEDENCE or "list-unsubscribe" in headers or "feedback-id" in headers:
        flags.add("bulk")
    if any(name in headers for name in LIST_HEADERS) or precedence == "list":
        flags.add("list")
    if "x-loop" in headers or "x-loop-check" in headers:
        flags.add("loop")
    if return_path == "":
        flags.add("null_sender")
    if _is_spam(headers):
        flags.add("spam")
    return flags


def _is_spam(headers: Headers) -> bool:
    if headers.raw("x-spam-flag").lower() in SAYS_YES or headers.raw("x-spam").lower() in SAYS_YES:
        return True
    if headers.raw("x-spam-status").lower().startswith("yes"):
        return True
    # https://learn.microsoft.com/defender-office-365/message-headers-eop-mdo: SFV names the verdict.
    return "sfv:spm" in headers.raw("x-forefront-antispam-report").lower()
