"""How mail programs announce what they quote, by language. Plain words; `quotes` compares them, no regular expressions.

Collected from the output of the programs themselves: Gmail, Apple Mail, Outlook, Thunderbird, Yahoo, Yandex, Mail.ru,
Zimbra, Zoho, GMX, Web.de, Orange, T-Online.
"""

# Last words of "On … X wrote:", lower case without the colon.
WROTE_ENDINGS = (
    "wrote", "writes", "said", "has written", "wrote the following",  # en
    "schrieb", "schrieb folgendes", "schrieb am", "geschrieben", "hat geschrieben", "schreibt",  # de
    "a écrit", "écrit", "a ecrit", "à écrit", "a écrit ce qui suit",  # fr
    "escribió", "escribio", "ha escrito", "escribió lo siguiente",  # es
    "escreveu", "escreveu o seguinte", "va escriure", "escribiu", "idatzi du",  # pt, ca, gl, eu
    "ha scritto", "scrive", "scrisse", "ha scritto quanto segue",  # it
    "schreef", "schreef het volgende", "heeft geschreven", "geschreven",  # nl
    "skrev", "skrev følgende", "skrev följande", "skreiv", "skrifaði", "har skrivit",  # da, sv, no, is
    "kirjoitti", "kirjutas", "rakstīja", "rašė", "parašė",  # fi, et, lv, lt
    "napisał", "napisał(a)", "napisała", "napisal", "napisal(a)", "pisze", "napisali", "pisał",  # pl
    "napsal", "napsal(a)", "napsala", "napísal", "napísal(a)", "napísala", "píše", "napsal/a", "napísal/a",  # cs, sk
    "napisao", "napisao je", "je napisao", "napisala je", "je napisala", "je napisal", "je napisal/a",  # hr, sl
    "написао", "је написао", "је написао/ла", "je napisao/la", "napisao/la",  # sr
    "írta", "ezt írta", "a következőt írta", "írt",  # hu
    "a scris", "a scris următoarele", "scris",  # ro
    "написал", "написала", "написал(а)", "пишет", "писал", "писал(а)", "вы писали", "ты писал",  # ru
    "написав", "написав(ла)", "написала", "пише", "напісаў", "напісаў(ла)", "написа",  # uk, be, bg
    "έγραψε", "egrapse", "shkroi", "yazdı", "şunu yazdı", "şöyle yazdı", "yazmış", "yazıb",  # el, sq, tr, az
    "כתב", "כתבה", "כתב/ה", "מאת", "كتب", "كتبت", "نوشت", "نوشته است",  # he, ar, fa
    "写道", "寫道", "来信", "撰写", "写到", "のメール", "のメッセージ", "が書きました", "さんは書きました", "は書きました",  # zh, ja
    "작성", "님이 작성", "님이 작성한 메시지", "작성했습니다",  # ko
    "đã viết", "viết", "เขียนว่า", "เขียน", "menulis", "schrieb/wrote", "ने लिखा", "लिखा", "sumulat",  # vi, th, id, hi
    "wrote/schrieb", "skrev/wrote", "schrijft", "ha escrit", "escribió/wrote", "написа(а)",
)  # fmt: skip

# First words of such a line, each with the blank that follows.
WROTE_BEGINNINGS = (
    "on ", "at ", "in ", "il ", "el ", "le ", "am ", "um ", "op ", "den ", "em ", "a ", "w dniu ", "dnia ", "dne ",
    "dňa ", "pe ", "în data ", "la ", "în ", "na ", "dana ", "u ", "dne: ", "от ", "am: ", "vào ", "pada ", "ngày ", "vom ",
    "в ", "на ", "у ", "kl ", "klo ", "kell ", "ons ", "tis ", "tors ", "fre ", "mån ", "lör ", "sön ", "στις ", "stis ",
    "dana: ", "în ziua ", "em: ", "dne ", "fl. ", "þann ", "pirmd., ", "بتاريخ ", "في ", "ב-", "בתאריך ", "ב", "在 ", "在",
    "于 ", "于", "於 ", "於", "le: ", "date: ", "ni ", "mnamo ", "dd ", "citando ", "zitat von ", "quoting ", "citat ",
    "cytowanie ", "citace ", "вы писали ", "вы написали ", "lainaus ", "selon ", "según ", "segundo ", "secondo ", "z dnia ",
    "den: ", "kuupäeval ", "2", "1", "0", "3",
)  # fmt: skip

# Middle words that let a line without a date count: the verb stands before the name (de, nl, da, sv, no, fi, hu).
WROTE_MIDDLES = (
    " schrieb ", " schreef ", " skrev ", " kirjoitti ", " ezt írta ", " írta ", " skreiv ", " escribió ", " scris ",
    " napisał ", " schrieb:", " a écrit ", " wrote ", " je napisao ", " je napisal ", " napsal ", " napísal ", " skrifaði ",
    " escreveu ", " ha scritto ", " написал ", " написа ", " wrote: ", " shkroi ", " kirjutas ", " wrote:", " đã viết ",
    " menulis ", " rakstīja ", " rašė ", " пише ", " написав ",
)  # fmt: skip

# Labels of the header block that Outlook and others put above a quote, by what they mean.
FROM_LABELS = frozenset(
    [
        "from",
        "von",
        "de",
        "da",
        "van",
        "fra",
        "från",
        "fran",
        "od",
        "lähettäjä",
        "lahettaja",
        "feladó",
        "felado",
        "küldő",
        "от",
        "від",
        "ад",
        "de",
        "la",
        "от",
        "кого",
        "kimden",
        "gönderen",
        "gonderen",
        "από",
        "מאת",
        "מ",
        "من",
        "发件人",
        "寄件者",
        "寄件人",
        "差出人",
        "送信者",
        "보낸사람",
        "보낸",
        "보내는",
        "từ",
        "người",
        "gửi",
        "จาก",
        "dari",
        "expéditeur",
        "expediteur",
        "absender",
        "afzender",
        "avsändare",
        "afsender",
        "avsender",
        "remitente",
        "mittente",
        "remetente",
        "nadawca",
        "odesílatel",
        "odosielateľ",
        "odesilatel",
        "expeditor",
        "šalje",
        "pošiljatelj",
        "pošiljatel",
        "saatja",
        "siuntėjas",
        "no",
        "nuo",
        "sūtītājs",
        "nosūtītājs",
        "frá",
        "þeim",
        "frá",
    ]
) | {
    "de la",
    "от кого",
    "보낸 사람",
    "보내는 사람",
    "người gửi",
    "发件人",
    "寄件者",
    "from address",
    "message de",
    "e-mail de",
}
SENT_LABELS = frozenset(
    ["sent", "date", "gesendet", "datum", "verzonden", "envoyé", "envoye", "enviado", "enviada", "inviato", "data", "sendt", "skickat", "sänt", "lähetetty", "päivämäärä", "päiväys", "wysłano", "wyslano", "odesláno", "odesilano", "odoslané", "odoslaná", "elküldve", "dátum", "küldve", "trimis", "дата", "отправлено", "надіслано", "изпратено", "tarih", "gönderildi", "gönderme", "αποστολή", "ημερομηνία", "נשלח", "תאריך", "تاريخ", "التاريخ", "مرسل", "أرسلت", "发送时间", "发送日期", "日期", "傳送時間", "寄件日期", "時間", "时间", "送信日時", "日時", "送信日", "日付", "보낸날짜", "날짜", "ngày", "gửi", "วันที่", "ส่ง", "tanggal", "dikirim", "poslano", "poslato", "saadetud", "kuupäev", "išsiųsta", "nosūtīts", "datums", "sendt", "skickad", "date&time", "envoyé", "gesendet", "dato", "datum/tijd", "fecha"]
) | {
    "sent on", "message du", "date :", "sent at", "date sent", "envoyé le", "envoye le", "date d'envoi", "gesendet am", "data wysłania", "дата отправки",
    "보낸 날짜", "ngày gửi", "đã gửi", "enviado el", "enviado em", "enviada em", "enviada a", "enviado a", "fecha de envío", "data/hora", "datum odesílání", "date et heure",
    "inviato il", "data di invio", "gönderme tarihi", "gönderilme tarihi", "تاريخ الإرسال", "sendt dato",
}  # fmt: skip
TO_LABELS = frozenset(
    [
        "to",
        "an",
        "à",
        "a",
        "para",
        "per",
        "aan",
        "til",
        "till",
        "do",
        "vastaanottaja",
        "címzett",
        "cimzett",
        "către",
        "catre",
        "komu",
        "кому",
        "до",
        "kime",
        "alıcı",
        "alici",
        "προς",
        "אל",
        "לכבוד",
        "إلى",
        "الى",
        "收件人",
        "收件者",
        "宛先",
        "받는사람",
        "받는",
        "đến",
        "người",
        "nhận",
        "ถึง",
        "kepada",
        "za",
        "prima",
        "saaja",
        "kam",
        "kam:",
        "empfänger",
        "destinataire",
        "destinatario",
        "ontvanger",
        "modtager",
        "mottagare",
        "mottaker",
        "příjemce",
        "príjemca",
        "prejemnik",
        "adresātam",
        "gavėjas",
        "prejme",
        "til:",
        "vastaanottajat",
        "destinatário",
    ]
) | {
    "받는 사람",
    "người nhận",
    "sent to",
    "cc",
    "kopie",
    "copie",
    "copie à",
    "kopi",
    "kopia",
    "copia",
    "копия",
    "cópia",
}
SUBJECT_LABELS = frozenset(
    [
        "subject",
        "betreff",
        "objet",
        "objet:",
        "sujet",
        "asunto",
        "assunto",
        "oggetto",
        "onderwerp",
        "emne",
        "ämne",
        "amne",
        "aihe",
        "temat",
        "předmět",
        "predmet",
        "tárgy",
        "targy",
        "subiect",
        "subiectul",
        "тема",
        "относно",
        "konu",
        "θέμα",
        "נושא",
        "הנדון",
        "الموضوع",
        "موضوع",
        "主题",
        "主旨",
        "標題",
        "件名",
        "제목",
        "chủ",
        "đề",
        "tiêu",
        "đề",
        "เรื่อง",
        "perihal",
        "naslov",
        "teema",
        "tema",
        "temats",
        "assumpte",
        "gaia",
        "efni",
    ]
) | {"chủ đề", "tiêu đề", "temat wiadomości"}

# What stands between dashes (or after Apple's "Begin") above a quoted or forwarded mail.
ORIGINAL_MESSAGES = (
    "original message", "original email", "original mail", "original appointment", "originalmessage", "reply message",
    "replied message", "reply above this line",
    "ursprüngliche nachricht", "originalnachricht", "ursprüngliche mail", "original-nachricht", "ursprungliche nachricht",
    "original nachricht", "ursprünglicher termin",
    "message d'origine", "message original", "message d’origine", "message initial", "message origine", "courriel original",
    "mensaje original", "mensagem original", "messaggio originale", "missatge original", "mensaxe orixinal", "jatorrizko mezua",
    "oorspronkelijk bericht", "oorspronkelijke bericht", "origineel bericht", "oprindelig meddelelse", "original meddelelse",
    "original besked", "oprindelig besked", "oprindelig mail", "ursprunglig meddelande", "originalmeddelande", "ursprungligt meddelande", "ursprungligt mail", "opprinnelig melding",
    "opprinneleg melding", "alkuperäinen viesti", "oorspronkelijke e-mail",
    "wiadomość oryginalna", "oryginalna wiadomość", "wiadomosc oryginalna", "původní zpráva", "původní e-mail",
    "pôvodná správa", "eredeti üzenet", "mesaj original", "mesajul original", "izvorna poruka", "originalna poruka",
    "originalno sporočilo", "izvirno sporočilo", "оригинална порука",
    "исходное сообщение", "исходное письмо", "пересылаемое сообщение", "оригинальное сообщение", "початкове повідомлення",
    "вихідне повідомлення", "оригинално съобщение", "αρχικό μήνυμα", "özgün ileti", "orijinal mesaj", "orijinal ileti",
    "الرسالة الأصلية", "رسالة أصلية", "ההודעה המקורית", "הודעה מקורית", "原始邮件", "原邮件", "回复的原邮件", "原始郵件", "原始訊息",
    "元のメッセージ", "元のメール", "original message from", "원본 메시지", "원본 메일", "원본메시지", "thư gốc", "tin nhắn gốc",
    "pesan asli", "pesan semula", "ข้อความต้นฉบับ", "algne kiri", "algsõnum", "originalus laiškas", "sākotnējais ziņojums",
    "upprunaleg skilaboð",
)  # fmt: skip
FORWARDED_MESSAGES = (
    "forwarded message", "begin forwarded message", "forwarded by", "forwarded mail", "fwd message",
    "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht", "weitergeleitete mail", "weitergeleitet von",
    "message transféré", "message transmis", "début du message transféré", "début du message réexpédié", "message réexpédié",
    "mensaje reenviado", "inicio del mensaje reenviado", "mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada",
    "início da mensagem reencaminhada", "início da mensagem encaminhada", "messaggio inoltrato", "inizio messaggio inoltrato",
    "missatge reenviat", "doorgestuurd bericht", "begin doorgestuurd bericht", "videresendt meddelelse", "videresendt besked",
    "start på videresendt besked", "videresendt melding", "begynnelse på videresendt melding", "videresendt e-post",
    "vidarebefordrat meddelande", "vidarebefordrat brev", "vidarebefordrat mejl", "edelleenlähetetty viesti",
    "välitetty viesti", "edelleen lähetetty viesti", "przekazana wiadomość", "wiadomość przekazana",
    "początek przekazywanej wiadomości", "wiadomość przekazana dalej", "přeposlaná zpráva", "předaná zpráva",
    "začátek přeposlané zprávy", "preposlaná správa", "továbbított üzenet", "továbbított levél", "mesaj redirecționat",
    "mesaj transmis mai departe", "proslijeđena poruka", "prosleđena poruka", "posredovano sporočilo",
    "переадресованное сообщение", "пересланное сообщение", "начало переадресованного сообщения", "перенаправленное сообщение",
    "пересылаемое сообщение", "конец пересылаемого сообщения", "переслане повідомлення", "перенаправлене повідомлення",
    "препратено съобщение", "προωθημένο μήνυμα", "iletilmiş mesaj", "iletilen mesaj", "yönlendirilen ileti",
    "الرسالة المعاد توجيهها", "رسالة محولة", "רשומה שהועברה", "הודעה שהועברה", "转发邮件", "转发的邮件", "已转发邮件", "轉寄郵件", "轉寄的郵件",
    "転送されたメッセージ", "転送メッセージ", "forwarded", "전달된 메시지", "전달된 메일", "thư đã chuyển tiếp", "tin nhắn được chuyển tiếp",
    "pesan terusan", "ข้อความที่ส่งต่อ", "edastatud kiri", "persiųstas laiškas", "pārsūtītais ziņojums", "framsent",
)  # fmt: skip

# Beginnings of the line that a mobile program adds below what its user wrote.
SENT_FROM = (
    "sent from", "sent with", "sent via", "sent using", "get outlook for",
    "von meinem", "gesendet von", "gesendet mit", "gesendet über", "von unterwegs gesendet", "diese nachricht wurde von meinem",
    "holen sie sich outlook für", "outlook für ios beziehen", "outlook für android beziehen",
    "envoyé de", "envoyé depuis", "envoye de", "envoyé à partir d", "envoyé par", "envoyé avec", "obtenez outlook pour",
    "télécharger outlook pour", "télécharger outlook",
    "enviado desde", "enviado de", "enviado con", "enviado do", "enviado a partir do", "enviado via", "obtener outlook para",
    "obter o outlook para", "baixe o outlook para", "enviat des", "enviado dende",
    "inviato da", "inviato con", "inviato dal", "scarica outlook per", "ottieni outlook per",
    "verzonden vanaf", "verstuurd vanaf", "verzonden met", "verstuurd met", "verzonden via", "verstuurd via",
    "outlook voor ios downloaden", "outlook voor android downloaden", "download outlook voor",
    "sendt fra", "skickat från", "skickat fran", "skickas från", "sänt från", "hent outlook til", "hämta outlook för",
    "hent outlook for", "få outlook for", "sendt med",
    "lähetetty", "hanki outlook", "hae outlook", "wysłane z", "wyslane z", "wysłano z", "pobierz program outlook", "pobierz outlook",
    "odesláno z", "odesláno ze", "poslané z", "odoslané z", "získejte outlook", "získať outlook", "küldve", "elküldve az",
    "az outlook letöltése", "trimis de pe", "trimis din", "trimis de la", "descărcați outlook", "poslano s", "poslano sa", "poslano z",
    "послано са", "отправлено с", "отправлено из", "отправлено через", "надіслано з", "відправлено з", "изпратено от", "скачать outlook",
    "στάλθηκε από", "εστάλη από", "iphone'umdan gönderildi", "ipad'imden gönderildi", "android için outlook", "ios için outlook",
    "נשלח מה", "נשלח מ", "أرسلت من", "تم الإرسال من", "أُرسلت من", "发自我的", "发自", "從我的", "傳送自", "寄自我的", "获取 outlook",
    "iphoneから送信", "ipadから送信", "私のiphoneから", "androidから送信", "나의 iphone에서 보냄", "내 iphone에서", "iphone에서 보냄", "보낸 사람: ",
    "được gửi từ", "gửi từ", "đã gửi từ", "ส่งจาก", "dikirim dari", "saadetud minu", "išsiųsta iš", "nosūtīts no", "sent form",
    "envoyé via", "gesendet aus", "enviado pelo", "wysłane przy użyciu", "wysłane przez",
)  # fmt: skip
# The same said at the end of the line.
SENT_FROM_ENDINGS = (
    "gönderildi",
    "から送信",
    "에서 보냄",
    "gesendet",
    "letöltése",
    "에서 보낸 메일",
    "送信されました",
    "beziehen",
)
