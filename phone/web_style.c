/* SPDX-License-Identifier: ISC */
#include "phone/web_page.h"

#include <string.h>

/* Colours have a contrast of 4.5 to 1 at least: WCAG 2.1, success criterion 1.4.3. */
static const char style[] =
    "*{box-sizing:border-box}"
    "html{font:16px/1.5 system-ui,\"Segoe UI\",\"DejaVu Sans\",Arial,sans-serif;color:#1c2530;background:#eef1f5}"
    "body{margin:0}"
    "header{background:#16324f;color:#fff}"
    "header p,main,footer{max-width:60rem;margin:0 auto}"
    "header p{padding:.7rem 1rem;display:flex;flex-wrap:wrap;gap:0 1.5rem;align-items:baseline}"
    "header strong{font-size:1.15rem}"
    "main{padding:1rem}"
    "h1{font-size:1.5rem;line-height:1.2;margin:0 0 .8rem}"
    "h2{font-size:1.1rem;margin:0 0 .5rem}"
    "section{background:#fff;border:1px solid #c9d2dc;border-radius:6px;padding:.9rem 1.2rem;margin:0 0 1rem}"
    "@media(min-width:52rem){.two{display:grid;grid-template-columns:1fr 1fr;gap:1rem;align-items:stretch;margin-bottom:1rem}.two section{margin:0}}"
    "dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.35rem 1rem;margin:0}"
    "dt{color:#4a5766}"
    "dd{margin:0;overflow-wrap:anywhere}"
    "code{display:block;font-family:ui-monospace,\"DejaVu Sans Mono\",monospace;font-size:.8rem}"
    ".mark{display:inline-block;width:1.35em;height:1.35em;line-height:1.35em;margin-right:.45em;border-radius:50%;"
    "text-align:center;font-weight:bold;color:#fff;background:#5b6775}"
    ".good{background:#1a7f37}.bad{background:#c1121f}"
    "svg{width:1.2em;height:1.35em;vertical-align:-.3em;margin-right:.45em}"
    ".blue{fill:#1f5fbf}.red{fill:#c1121f}.none{fill:none;stroke:#5b6775;stroke-width:1.5}"
    ".said{border-radius:6px;padding:.7rem 1rem;margin:0 0 1rem;border:1px solid;overflow-wrap:anywhere}"
    ".said p{margin:.2rem 0 0}"
    "[role=status]{background:#e7f5ec;border-color:#1a7f37;color:#0e4a20}"
    "[role=alert]{background:#fdebec;border-color:#c1121f;color:#7d0b14}"
    ".now{background:#eaf1fb;border-color:#1f5fbf;color:#123a78}"
    ".others{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin-top:1.1rem;border-top:1px solid #dde3ea;padding-top:1.1rem}"
    ".others form{flex:1 1 16rem}"
    ".field{margin:0 0 .8rem}"
    ".field>label{display:block;font-weight:600}"
    ".switch{display:flex;align-items:center;gap:.6rem;font-weight:600;min-height:2.75rem}"
    ".switch input{width:1.3rem;height:1.3rem;margin:0;accent-color:#1f5fbf}"
    "input[type=file]{display:block;width:100%;margin:.3rem 0;padding:.5rem;border:1px solid #7b8794;border-radius:4px;"
    "background:#f8fafc;font:inherit}"
    "[aria-invalid=true]{border-color:#c1121f!important;background:#fff7f7!important}"
    ".hint{color:#4a5766;font-size:.9rem;margin:.2rem 0 0}"
    ".wrong{color:#a30f1a;font-weight:600;margin:.2rem 0 0;overflow-wrap:anywhere}"
    "button{font:inherit;font-weight:600;min-height:2.75rem;padding:.4rem 1.2rem;border-radius:4px;cursor:pointer;"
    "border:1px solid #1f5fbf;background:#1f5fbf;color:#fff}"
    "button:hover{background:#174a96}"
    "button.quiet{background:#fff;color:#174a96}"
    "button.quiet:hover{background:#eaf1fb}"
    "button.away{background:#fff;border-color:#c1121f;color:#a30f1a}"
    "button.away:hover{background:#fdebec}"
    "button:disabled{background:#eef1f5;border-color:#a9b4c0;color:#4a5766;cursor:default}"
    ":focus-visible{outline:3px solid #f2a900;outline-offset:2px}"
    "a{color:#174a96}"
    "footer{padding:0 1rem 1.5rem;color:#4a5766;font-size:.9rem}"
    "@media(max-width:30rem){dl{grid-template-columns:6.8rem 1fr;gap:.35rem .7rem}"
    "button{width:100%}section{padding:.9rem}}";

const char *
web_page_style(size_t *ret_len)
{
	*ret_len = strlen(style);
	return style;
}
