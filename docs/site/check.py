"""What may be wrong with built pages: links that lead nowhere, and anything that is read from a network."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

READ = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}  # what a browser loads itself
FROM_A_NETWORK = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])((?:https?:)?//[^\"')\s]+)")


class Page(HTMLParser):
    """The links of a page, what it reads, and the places that can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.read: set[str] = set()
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, reads and names."""
        given = {name: value for name, value in attrs if value}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        elif tag in READ and READ[tag] in given and given.get("rel") not in ("canonical", "prev", "next"):
            self.read.add(given[READ[tag]])


def faults(html: Path) -> list[str]:
    """A sentence for each dead link and for each thing that would be read from a network."""
    pages = {path.resolve(): Page(path) for path in sorted(html.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(html.resolve()).as_posix()
        found += [f"{name} reads {url} from a network" for url in sorted(page.read) if urlsplit(url).netloc]
        for url in sorted(page.links | page.read):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                found.append(f"{name} links to {url}, and no such file is there")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                found.append(f"{name} links to {url}, and that page has no such place")
    for path in sorted(html.rglob("*.css")):
        urls = FROM_A_NETWORK.findall(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(html)} reads {url} from a network" for url in urls]
    return found
