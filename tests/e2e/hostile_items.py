"""Mails and form posts made to break what reads them: size, depth, bytes, names and scripts. Name -> what is sent."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

MEGABYTE = 2**20
SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>{{7*7}}${7*7}"
FOREIGN = "http://tracker.example"
NAMES = ("../../../../etc/passwd", "..\\..\\windows\\win.ini", "C:\\a.exe", "/etc/cron.d/x", f"a{SCRIPT}.html", "a\r\nX-Evil: 1.txt", "\u202egpj.exe", "con", "." * 300, "a\x00b.png")  # fmt: skip
HTML = f"""<html><head><meta http-equiv="refresh" content="0;url={FOREIGN}/refresh"><base href="{FOREIGN}/">
<link rel="stylesheet" href="{FOREIGN}/a.css"><style>@import url({FOREIGN}/b.css); body{{background:url({FOREIGN}/c.png)}}</style>
<script>alert(1)</script><script src="{FOREIGN}/d.js"></script></head><body onload="alert(2)" background="{FOREIGN}/e.png">
<p onclick="alert(3)" style="background-image:url({FOREIGN}/f.png);position:fixed;top:0;left:0">Hello {SCRIPT}</p>
<img src="{FOREIGN}/g.png"><img src="x" onerror="alert(4)"><a href="javascript:alert(5)">click</a>
<a href="data:text/html,<script>alert(6)</script>">data</a><iframe src="{FOREIGN}/h"></iframe><iframe srcdoc="<script>alert(7)</script>">
</iframe><object data="{FOREIGN}/i"></object><embed src="{FOREIGN}/j"><form action="{FOREIGN}/k"><input name="a" autofocus
onfocus="alert(8)"><button formaction="javascript:alert(9)">go</button></form><svg><script>alert(10)</script><use href="{FOREIGN}/l#x"/>
<animate onbegin="alert(11)" attributeName="x" dur="1s"/></svg><math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1
onerror=alert(12)&gt;"></table></mtext></math><video poster="{FOREIGN}/m"><source onerror="alert(13)"></video><details open
ontoggle="alert(14)">x</details><noscript><p title="</noscript><img src=x onerror=alert(15)>"></noscript><a href="jav&#x09;ascript:alert(16)">
tab</a><img src="cid:../../secret"><template><script>alert(17)</script></template><marquee onstart="alert(18)">m</marquee>
<input type="image" src="{FOREIGN}/n"><audio src="{FOREIGN}/o" autoplay></audio><table background="{FOREIGN}/p"><tr><td>x</table>"""

MORE_HTML = (
    "<p>one</p><textarea></textarea><script>alert(1)</script><xmp></xmp><img src=x onerror=alert(2)><plaintext><img src=x onerror=alert(3)>",
    "<p>two</p><svg><style><img src=x onerror=alert(1)></style></svg><svg></p><style><a id='</style><img src=1 onerror=alert(2)>'></a>",
    f"<p>three</p><style>*{{background:url('{FOREIGN}/q')}} @font-face{{font-family:a;src:url({FOREIGN}/r)}}</style><p style='font-family:a;"
    f'list-style-image:url("{FOREIGN}/s");content:url({FOREIGN}/t);behavior:url({FOREIGN}/u);width:expression(alert(1))\'>styled</p>',
    f"<p>four</p><img srcset='{FOREIGN}/v 2x' src='//tracker.example/w'><picture><source srcset='{FOREIGN}/x'></picture><link rel=prefetch "
    f"href='{FOREIGN}/y'><link rel=dns-prefetch href='{FOREIGN}'><a ping='{FOREIGN}/z' href='{FOREIGN}'>link</a><body background='{FOREIGN}/0'>",
    "<p>five</p></div></body></html></iframe></main><script>alert(1)</script><form id=x></form><button form=x formaction='javascript:alert(2)'>",
    "<p>six</p><a href='&#106;avascript:alert(1)'>a</a><a href='java\nscript:alert(2)'>b</a><a href=' javascript:alert(3)'>c</a><a href='vbscript:x'>",
    "<p>seven</p>" + "<div>\r\n" * 10_000 + "deep",
    f"<p>eight</p><img src='cid:0@{SCRIPT[3:20]}'><img src='data:image/svg+xml,<svg onload=alert(1) xmlns=\"http://www.w3.org/2000/svg\"/>'>",
)


def head(name: str, *more: str) -> str:
    lines = (f"From: Eve <{name}@hostile.example>", "To: support@shop.example", f"Message-ID: <{name}@hostile.example>", *more)  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines)


def plain(name: str, body: bytes, *more: str) -> bytes:
    return (head(name, f"Subject: {name}", *more) + "\r\n").encode("utf-8", "surrogateescape") + body


def html(name: str, body: bytes) -> bytes:
    return plain(name, body, "MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8")


def lines(text: str, size: int) -> bytes:
    line = text.encode() + b"\r\n"
    return line * (size // len(line))


def nested(depth: int) -> bytes:
    opening = "".join(
        f'Content-Type: multipart/mixed; boundary="b{each}"\r\n\r\n--b{each}\r\n' for each in range(depth)
    )
    closing = "".join(f"\r\n--b{each}--" for each in reversed(range(depth)))
    text = head("nested", "Subject: nested", "MIME-Version: 1.0") + opening
    return f"{text}Content-Type: text/plain\r\n\r\nthe innermost{closing}\r\n".encode()


def attached(names: tuple[str, ...]) -> bytes:
    parts = "".join(
        f'--b\r\nContent-Type: image/svg+xml; name="{each}"\r\nContent-Disposition: attachment; filename="{each}"\r\n'
        f"Content-ID: <{number}@{SCRIPT}>\r\n\r\n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>\r\n"
        for number, each in enumerate(names)
    )
    mail = head(
        "attached", "Subject: attached", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"
    )
    return f"{mail}\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee the files\r\n{parts}--b--\r\n".encode()


def mails() -> Iterator[tuple[str, bytes]]:
    """What fits into a few hundred kilobytes."""
    yield "nested", nested(5000)
    yield "attached", attached(NAMES)
    yield "script-html", html("script-html", HTML.encode())
    for number, each in enumerate(MORE_HTML):
        yield f"script-html-{number}", html(f"script-html-{number}", each.encode())
    yield (
        "script-headers",
        (
            f"From: {SCRIPT} <script@hostile.example>\r\nTo: support@shop.example\r\nSubject: {SCRIPT}\r\nReply-To: {SCRIPT}\r\n"
            f"Message-ID: <{SCRIPT}@hostile.example>\r\nDate: {SCRIPT}\r\nX-Priority: {SCRIPT}\r\n\r\n{SCRIPT}\r\n"
        ).encode(),
    )
    injected = "=?utf-8?q?Hello=0D=0ABcc:_victim@x.example=0D=0A=0D=0Abody?="
    yield (
        "line-ends-in-headers",
        (
            f"From: {injected} <crlf@hostile.example>\r\nTo: support@shop.example\r\nSubject: {injected}\r\n"
            "Message-ID: <crlf\r\n @hostile.example>\r\nIn-Reply-To: <a\rb\nc@hostile.example>\r\n\r\nhello\r\n"
        ).encode(),
    )
    yield "nuls", plain("nuls", b"a\x00b\x00" * 1000 + b"\r\n", "X-Nul: a\x00b")
    yield "no-header", b"\r\n\r\n\r\n"
    yield "only-nuls", b"\x00" * 5000 + b"\r\n"
    yield "random-bytes", bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"") * 200 + b"\r\n"
    yield "two-of-each", head("two").encode() * 3 + b"Subject: one\r\nSubject: two\r\n\r\nhello\r\n"
    for number, charset in enumerate(("utf-7", "utf-16", "no-such-charset", "\x00", "idna", "rot13", "zlib", "x" * 9000)):  # fmt: skip
        name = f"charset-{number}"
        body = b"+ADw-script+AD4-alert(1)+ADw-/script+AD4- \xff\xfe\xd8\x00\x80 caf\xe9\r\n"
        yield name, plain(name, body, "MIME-Version: 1.0", f'Content-Type: text/plain; charset="{charset}"')
    yield "charset-html", plain(
        "charset-html", b"\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00>\x00a\x00l\x00e\x00r\x00t\x00(\x001\x00)\x00\r\n",
        "MIME-Version: 1.0", "Content-Type: text/html; charset=utf-16",
    )  # fmt: skip
    yield (
        "endless-base64",
        plain("endless-base64", b"=" * 50_000 + b"A\r\n", "Content-Transfer-Encoding: base64"),
    )
    yield "many-parts", plain(
        "many-parts", b"--b\r\n\r\nx\r\n" * 20_000 + b"--b--\r\n", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"
    )  # fmt: skip
    yield "many-references", plain("many-references", b"hi\r\n", "References:" + "".join(f"\r\n <{n}@x.example>" for n in range(9000)))  # fmt: skip
    yield "many-addresses", plain("many-addresses", b"hi\r\n", "Cc:" + ",".join(f"\r\n {n}@x.example" for n in range(9000)))  # fmt: skip
    yield "quotes", plain("quotes", lines(">" * 900, 200_000))
    yield "parentheses", plain("parentheses", b"hi\r\n", "Cc: " + "(" * 50_000 + "a@x.example")


def large_mails() -> Iterator[tuple[str, bytes]]:
    """What is large, or grows when it is read."""
    yield "megabyte-header", plain("megabyte-header", b"hello\r\n", "X-Large: " + "x" * MEGABYTE)
    yield (
        "megabyte-subject",
        (head("large-subject") + "Subject: " + SCRIPT * 10_000 + "\r\n\r\nhello\r\n").encode(),
    )
    yield "many-headers", plain("many-headers", b"hello\r\n", *("X: y" for _ in range(200_000)))
    yield "deep-html", html("deep-html", b"<div>\r\n" * 300_000 + b"deep")
    yield "deep-tables", html("deep-tables", b"<table><tr><td>\r\n" * 100_000 + b"deep")
    yield "many-attributes", html("many-attributes", b"<p " + b'a="1" style="x:y"\r\n' * 200_000 + b">hello")
    yield "many-entities", html("many-entities", lines("&amp;&lt;&nbsp;&CounterClockwiseContourIntegral;" * 10, 5 * MEGABYTE))  # fmt: skip
    yield "unclosed", html("unclosed", b"<a <b <i " * 200_000 + b"<!--" * 100_000)
    yield "swelling", html("swelling", b"<b><i><u><s>\r\n" * 50_000 + b"<p>x" * 50_000)
    yield "fifty-megabytes", plain("fifty-megabytes", lines("x" * 76, 49 * MEGABYTE))
    yield (
        "fifty-megabytes-html",
        html("fifty-megabytes-html", lines("<p>hello <b>there</b></p>", 49 * MEGABYTE)),
    )
    yield "too-large", plain("too-large", lines("x" * 76, 51 * MEGABYTE))


@dataclass(frozen=True)
class Post:
    """A request to a form; `statuses` are those that say what became of it."""

    name: str
    body: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    path: str = "/f/contact"


def as_json(**fields: object) -> bytes:
    return json.dumps({"email": "eve@hostile.example", "message": "hello", **fields}).encode()


def multipart(names: tuple[str, ...], content: bytes) -> bytes:
    fields = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("email", "eve@hostile.example"), ("message", SCRIPT))
    )
    files = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name in names
    )
    return fields.encode() + files + b"--b--\r\n"


PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def posts() -> Iterator[Post]:
    yield Post("script-in-every-field", as_json(message=SCRIPT, subject=SCRIPT, email="a<b>@hostile.example"))
    yield Post(
        "script", as_json(message=SCRIPT, subject=SCRIPT, _page=f"javascript:{SCRIPT}", _language=SCRIPT)
    )
    yield Post("line-ends", as_json(subject="hello\r\nBcc: victim@x.example\r\n\r\nbody", email="a@x.example\r\nBcc: b@x.example"))  # fmt: skip
    yield Post("line-ends-in-subject", as_json(subject="hello\r\nBcc: victim@x.example\r\n\r\nbody"))
    yield Post("nuls", as_json(message="a\x00b\x00", subject="\x00"))
    yield Post("lone-surrogates", b'{"email":"a@x.example","message":"\\ud800\\udfff\\ud800"}')
    yield Post("deep-json", b'{"email":"a@x.example","message":' + b"[" * 200_000 + b"]" * 200_000 + b"}")
    yield Post("deeper-json", b'{"a":' * 100_000)
    yield Post("large-number", b'{"email":"a@x.example","message":' + b"9" * 100_000 + b"}")
    yield Post("not-a-number", b'{"email":"a@x.example","message":NaN}')
    yield Post("many-keys", json.dumps({f"k{n}": "v" for n in range(50_000)}).encode())
    yield Post("broken-json", b'{"email":')
    yield Post("broken-utf-8", b'{"email":"a@x.example","message":"\xff\xfe\xc0\x80"}')
    yield Post("large-json", as_json(message="x" * 5 * MEGABYTE))
    yield Post("large-message", as_json(message="x" * 500_000))
    yield Post("many-fields", b"&".join(b"a=%d" % n for n in range(100_000)), FORM)
    yield Post("large-form", b"message=" + b"x" * 20 * MEGABYTE, FORM)
    yield Post("broken-form", b"%zz=%&=&&=%00%ff&email=a@x.example&message=%C0%80%00", FORM)
    yield Post("latin", b"email=a@x.example&message=caf%E9", f"{FORM}; charset=utf-7")
    yield Post("files", multipart(NAMES[:3], b"<script>alert(1)</script>"), MULTIPART, path="/f/files")
    yield Post(
        "file-names",
        multipart((NAMES[4], "b.html"), b"<script>alert(1)</script>"),
        MULTIPART,
        path="/f/files",
    )
    named = multipart(("../../evil.png", f"{SCRIPT[3:40]}.png".replace('"', "%22")), PIXEL)
    yield Post("named-files", named, MULTIPART, path="/f/files")
    yield Post("many-files", multipart(("a.txt",) * 2000, b"x"), MULTIPART, path="/f/files")
    yield Post("many-parts", b"--b\r\n\r\n" * 100_000, MULTIPART, path="/f/files")
    yield Post("large-upload", multipart(("a.bin",), b"x" * 60 * MEGABYTE), MULTIPART, path="/f/files")
    yield Post("no-boundary", multipart(("a.txt",), b"x"), "multipart/form-data", path="/f/files")
    yield Post("endless-boundary", multipart(("a.txt",), b"x"), "multipart/form-data; boundary=" + "b" * 5000, path="/f/files")  # fmt: skip
    yield Post("strange-type", b"hello", "text/xml;<script>")
    yield Post("large-header", as_json(), headers={"X-Large": "x" * 100_000})
    yield Post("larger-header", as_json(), headers={"X-Large": "x" * MEGABYTE})
    yield Post("many-headers", as_json(), headers={f"X-{n}": "y" for n in range(3000)})
    yield Post("long-path", as_json(), path="/f/" + "x" * 50_000)
    yield Post("foreign-path", as_json(), path="/f/..%2f..%2fetc%2fpasswd%00")
    yield Post("used-key", as_json(), headers={"Idempotency-Key": "x" * 5000})
