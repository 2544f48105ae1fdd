"""Whole site files that are good, and use among them every part of the language."""

from __future__ import annotations

from qetch.spec.check import check
from qetch.spec.load import load

BOARD = r"""
# yaml-language-server: $schema=../schema/site.schema.json
qetch: 1
name: board
class: BoardExtractor
description: Threads of an image board, through its read-only JSON API.
domains: [boards.example, files.boards.example]
request: {as: json, base: "https://api.boards.example/", rate: 1/s}
handles:
  board:
    match: '^https?://boards\.example/(?P<board>\w+)/?$'
    examples: ["https://boards.example/po/"]
    get: "{board}/threads.json"
    each:
      in: "[].threads[].no"
      let: {no: "@"}
      goto: {text: "https://boards.example/{board}/thread/{no}"}
  thread:
    match: '^https?://boards\.example/(?P<board>\w+)/thread/(?P<id>\d+)(?:[/#?]|$)'
    examples: ["https://boards.example/po/thread/570368/welcome"]
    get: "{board}/thread/{id}.json"
    each:
      in: "posts[?md5 && !filedeleted]"
      let: {tim: tim, dotext: ext}
      content:
        uid: {text: "{board}-{id}-{tim}"}
        title: {jmespath: filename, parse: html}
        description: {jmespath: com, parse: html}
        uploaded_by: name
        uploaded_date: time                       # a number is Unix seconds; a text needs `date:`
        metadata: "@"
        variants:                                 # in order of quality; a variant may be just its url
          full:  {url: {text: "https://files.boards.example/{board}/{tim}{dotext}"}, size: fsize, checksum: {md5: md5}}
          thumb: {url: {text: "https://files.boards.example/{board}/{tim}s.jpg"}, quality: 0.0}
"""

ALBUMS = r"""
qetch: 1
name: albums
description: A keyed API, counted pages, shared content, errors of its own.
domains: [albums.example, albums-twin.example]
auth: {kind: oauth, domains: [api.albums.example], headers: {Authorization: "Client-ID {key}"}}
request: {as: json, base: "https://api.albums.example/3/"}
errors:
  - {when: "status == `1203` || contains(to_string(data.error), 'capacity')", raise: rate_limited}
  - {when: "success == `false`", raise: remote, message: "to_string(not_null(data.error.message, data.error))"}
  - {url: '/removed\.png$', raise: gone}
handles:
  user:
    match: '^https?://(?:www\.|m\.)?albums\.example/user/(?P<user>[\w-]+)(?:/posts)?/?$'
    examples: ["https://albums.example/user/sarah"]
    get: "account/{user}/albums/{page}"
    pages: {counter: page, from: 0}
    each: {in: data, goto: link}
  album:
    match: '^https?://(?:www\.|m\.)?albums\.example/a/(?:[\w-]+-)?(?P<id>\w{5,7})(?:[/?#]|$)'
    examples: ["https://albums.example/a/138-TcBmP"]
    get: "album/{id}"
    errors: [{when: "data.images_count == `0`", raise: empty}]
    content: {title: data.title, uploaded_by: data.account_url}     # defaults for the contents inside
    each:
      in: data.images
      content:
        uid: id
        title: title
        uploaded_date: datetime
        metadata: "@"
        variants: {mp4: mp4, gifv: gifv, link: link}                # null or "" : no such variant
"""

GALLERY = r"""
qetch: 1
name: pictures
description: An HTML gallery with next links and one page per picture.
domains: [pictures.example]
request: {as: html, headers: {Referer: "https://pictures.example/"}}
handles:
  gallery:
    match: '^https?://pictures\.example/g/(?P<slug>[\w-]+)/?$'
    params: [sort]                                # names from the URL's query, decoded, null when absent
    examples: ["https://pictures.example/g/night-sky?sort=new"]
    get: "https://pictures.example/g/{slug}"
    query: {sort: "{sort}"}                       # a null name leaves its entry out
    pages: {next: 'a[rel="next"]::attr(href)'}    # relative URLs are joined
    errors:
      - {when: "div.notice.removed", raise: not_found, message: "div.notice::text"}
      - {when: "form#login", raise: login_required}
    content: {uploaded_by: "h1 .by a::text"}
    each:
      in: "ul.thumbs > li:not(.ad)"
      let: {page_url: "a::attr(href)", thumb: "img::attr(src)"}
      then:
        get: "{page_url}"
        content:
          uid: {css: "link[rel=canonical]::attr(href)", regex: '/p/(\d+)'}
          title: h1
          uploaded_date: {css: "time::text", date: ["%d %B %Y", "%d %b %Y"], tz: UTC}
          metadata: {tags: {css: ".tags a::text", all: true}}
          variants: {original: "a.original::attr(href)", medium: "img#main::attr(src)", thumb: {text: "{thumb}"}}
"""

STATE = r"""
qetch: 1
name: state
description: JSON in a script, renditions as rows.
domains: [state.example]
request: {as: html}
handles:
  item:
    match: '^https?://state\.example/i/(?P<id>\d+)$'
    examples: ["https://state.example/i/7"]
    get: "https://state.example/i/{id}"
    let: {state: {css: "script#data::text", parse: json}}
    each:
      of: state
      in: "items"                                     # JMESPath now: the kind follows what is read
      content:
        uid: id
        renditions:
          {in: "entries(files)", name: key, url: value.url, quality: {rank: [value.height, value.bitrate]}}
"""

EVERYTHING = r"""
qetch: 1
name: everything
class: EverythingExtractor
description: Every word that the other samples do not use.
domains: [everything.example]
instances:
  one.example:
    {base: "https://one.example/api/", as: json, rate: 30/min, wait: 2min, query: {q: 1}, cookies: {c: true}}
  "*.many.example": {}
status: broken
note: The site moved on 2020-02-02.
hooks: [authenticate, merge]
auth:
  kind: key
  domains: [api.everything.example]
  optional: true
  default: "0123"
  headers: {Authorization: "Bearer {token}"}
  query: {api_key: "{key}"}
  cookies: {session: "{key}"}
  check: user.id
  token:
    post: "https://api.everything.example/code"
    form: {key: "{key}"}
    headers: {X-A: b}
    let: {code: code}
    then:
      post: "https://api.everything.example/token"
      json: {code: "{code}", nested: [{deep: null}, 1, 1.5]}
    read: access_token
    expires: expires_in
request: {as: json, base: "https://api.everything.example/", wait: 30s}
errors: {status: 404, url: 'x', when: gone, raise: gone, message: why}
handles:
  graph:
    match: ['^https?://everything\.example/a/(?P<id>\d+)$', '^https?://everything\.example/b/(?P<id>\d+)$']
    params: sort
    examples:
      - {url: "https://everything.example/a/1", expect: {count: 2}}
      - "https://everything.example/b/1"
    not: ["https://everything.example/c/1"]
    status: dead
    note: no longer there
    post: "graphql"
    graphql: "query($id: ID!) { item(id: $id) { id } }"
    variables: {id: "{id}", after: "{cursor}", first: 100}
    redirects: stop
    as: json
    cookies: {seen: 1}
    pages: {set: {cursor: data.cursor}, until: "!data.more", max: 20}
    each:
      - {counter: number, to: "{id}", from: 0, goto: {text: "https://everything.example/b/{number}"}}
      - {counter: number, to: 12, then: {get: "x/{number}", content: {uid: id, fragments: "parts[].url"}}}
      - {in: data.ids, batch: 50, counter: nth, when: "!hidden", each: {in: "@", goto: "@"}}
  carried:
    match: 'x'
    examples: "https://everything.example/x"
    get: "list"
    query: {sort: new, full: true, limit: 50}
    pages: {carry: continue}
  offset:
    match: 'y'
    examples: ["https://everything.example/y"]
    get: "list/{offset}"
    pages: {counter: offset, from: 0, by: 50}
    content:
      uid: {first_of: [id, {header: X-Id}, {text: "{offset}", default: none}]}
      url: {of: offset, replace: [['^//', 'https://'], ['\s', '']], map: {a: 1, "*": null}, split: ",", join: "/"}
      uploaded_date: {xpath: "//time", date: unix, tz: Europe/Paris}
      extension: {text: mp4}
      size: {jmespath: size, number: int}
      checksum: {sha1: sha1, sha256: sha256}
      headers: {Referer: "https://everything.example/"}
      playlist: hls
      quality: {rank: height}
      metadata: {raw: "@"}
"""

GOOD = {
    "board": BOARD,
    "albums": ALBUMS,
    "gallery": GALLERY,
    "state": STATE,
    "everything": EVERYTHING,
}


def problems(text: str) -> list[str]:
    """All that is wrong with a site file of this text."""
    return [str(problem) for problem in check(load("x.yaml", text.encode()))]


def changed(before: str, after: str, text: str = ALBUMS) -> list[str]:
    """The problems of a good sample after a change, without the file's name."""
    assert before in text, before
    return [problem.removeprefix("x.yaml:") for problem in problems(text.lstrip().replace(before, after, 1))]
