"""EC2's query protocol: members in, XML out."""

from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from localcloud.wire import Answer, Request

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def members(request: Request) -> dict[str, str]:
    """The request's members by their flat names (`Filter.1.Value.2`)."""
    given = {name: values[0] for name, values in request.query.items() if values}
    return given | dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def listed(given: Mapping[str, str], prefix: str) -> list[str]:
    """The members `<prefix>.1`, `<prefix>.2`, … up to the first that is missing."""
    values: list[str] = []
    while (value := given.get(f"{prefix}.{len(values) + 1}")) is not None:
        values.append(value)
    return values


def xml(operation: str, body: str) -> Answer:
    """An operation's answer; `body` is XML already."""
    text = f'<{operation}Response xmlns="{NAMESPACE}"><requestId>localcloud</requestId>{body}</{operation}Response>'
    return 200, {"Content-Type": "text/xml"}, text.encode()


def element(name: str, text: str) -> str:
    """`<name>text</name>`."""
    return f"<{name}>{escape(text)}</{name}>"
