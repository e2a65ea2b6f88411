"""XML as stations send it, read within bounds: no DTD, no entities, no network; and texts as XML has them."""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from lxml import etree

# Of OCPP no message is nested deeper than 8 elements, and its envelope adds 2; the longest MeterValues and the data of
# the longest session have some thousands of elements.
MOST_LEVELS = 32
MOST_ELEMENTS = 10_000
LONGEST_NAME = 200

NO_ATTRIBUTES: Mapping[str, str] = {}
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
# What XML 1.0 cannot hold (§2.2).
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_ESCAPED = re.compile('[&<>"\r\n\t]')


class BadXml(Exception):
    """Why a document is not read, in words that say nothing of what it holds."""


class NotWellFormed(BadXml):
    """It may be, in another encoding."""


@dataclass(slots=True)
class Element:
    """name: without its namespace. attributes: those without a namespace. text: all of its own, as it stands there.

    nil: whether it says by xsi:nil that it has no value.
    """

    name: str
    namespace: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: "list[Element]" = field(default_factory=list)
    text: str = ""
    nil: bool = False

    def named(self, name: str) -> "Iterator[Element]":
        """Its children of that name, whatever their namespace and capitals."""
        wanted = name.casefold()
        return (child for child in self.children if child.name.casefold() == wanted)

    def first(self, name: str) -> "Element | None":
        return next(self.named(name), None)


Watch = Callable[[Sequence[Element]], bool]
"""Told of each element as it begins, with those around it, the root first; whether it has seen enough.

What it raises ends the parse there.
"""


class _Builder:
    """A target of the parser: what it refuses is not parsed any further."""

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        # Those that were seen: of a message hardly two dozen.
        self._names: dict[str, tuple[str, str]] = {}
        self._count = 0
        self._root: Element | None = None
        self.problem: Exception = NotWellFormed("not well-formed")

    def doctype(self, *_: object) -> None:
        self._refuse("a document type is not allowed")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            self._refuse("too many elements")
        if len(self._open) >= MOST_LEVELS:
            self._refuse("nested too deep")
        name, namespace = self._names.get(tag) or self._name(tag)
        element = Element(name, namespace, attributes or NO_ATTRIBUTES)
        if attributes and "{" in "".join(attributes):
            _understand(element)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)
        self._texts.append([])
        if self._watch is not None:
            self._show(self._watch)

    def data(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def end(self, _: str) -> None:
        element, texts = self._open.pop(), self._texts.pop()
        if texts:
            element.text = texts[0] if len(texts) == 1 else "".join(texts)

    def close(self) -> Element:
        if self._root is None:
            raise self.problem
        return self._root

    def _name(self, tag: str) -> tuple[str, str]:
        namespace, _, name = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
        if len(name) > LONGEST_NAME:
            self._refuse("a name is too long")
        self._names[tag] = name, namespace
        return name, namespace

    def _show(self, watch: Watch) -> None:
        try:
            enough = watch(self._open)
        except Exception as problem:
            self._end(problem)
        if enough:
            self._watch = None

    def _refuse(self, reason: str) -> NoReturn:
        self._end(BadXml(reason))

    def _end(self, problem: Exception) -> NoReturn:
        """lxml closes its target before it raises what that has raised."""
        self.problem, self._root = problem, None
        raise problem


def _understand(element: Element) -> None:
    """Of attributes with a namespace, xsi:nil means something here, and mustUnderstand and role of whatever SOAP."""
    own = {key: value for key, value in element.attributes.items() if not key.startswith("{")}
    for key, value in element.attributes.items():
        if key.endswith(("}mustUnderstand", "}role")):
            own[key.rpartition("}")[2]] = value.strip()
        elif key == NIL:
            element.nil = value.strip() in ("true", "1")
    element.attributes = own


def parse(document: bytes, charset: str | None = None) -> Element:
    """The root. See parse_parts."""
    return parse_parts([trimmed(document)], charset)


def trimmed(document: bytes) -> bytes:
    """Without blanks before it, and from the first NUL on, which XML cannot hold: some send the end of their string."""
    begun = document.lstrip()
    in_bytes = begun.startswith((b"<", codecs.BOM_UTF8)) and begun[1:2] != b"\0"
    return begun.partition(b"\0")[0] if in_bytes else document


def parse_parts(parts: Iterable[bytes], charset: str | None = None, watch: Watch | None = None) -> Element:
    """The root. charset: of the Content-Type, which goes before what the document says (RFC 7303 §3.2).

    Raises BadXml, and what `watch` and `parts` raise. Bounded by the length of parts, which is the caller's to bound.
    """
    builder = _Builder(watch)
    try:
        parser = etree.XMLParser(
            target=builder,
            # Those that XML itself has: others need a document type, which is refused at its first word. With False,
            # libxml2 leaves even those as they are in attributes.
            resolve_entities="internal",
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            encoding=charset,
        )
        for part in parts:
            parser.feed(part)
        root: Element = parser.close()
    except etree.XMLSyntaxError as error:
        raise NotWellFormed(f"not well-formed (line {error.lineno})") from None
    except (LookupError, ValueError) as error:
        if error is builder.problem:
            raise
        raise NotWellFormed("not well-formed") from None
    return root


def holds(text: str) -> bool:
    """Whether XML can hold a text as it is."""
    return text.isprintable() or _FORBIDDEN.search(text) is None


def escaped(text: str) -> str:
    """As content or attribute; a character that XML cannot hold is replaced."""
    if not text.isprintable():
        text = _FORBIDDEN.sub("\ufffd", text)
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)


def element(name: str, content: str, attributes: Iterable[tuple[str, str]] = ()) -> str:
    """content: XML. attributes: texts."""
    written = "".join(f' {key}="{escaped(value)}"' for key, value in attributes)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"
