"""Filter patterns of CloudWatch Logs, as far as subscriptions here have them: terms, all of them or any of them.

"Filter pattern syntax for metric filters, subscription filters" of the CloudWatch Logs user guide: terms are matched
with their case, one in quotation marks may have blanks, and of those after a question mark one is enough.
"""

import re
from typing import Final

_TERM: Final = re.compile(r'(?P<any>\??)(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')


def matches(pattern: str, message: str) -> bool:
    """Whether a line of a log fits; an empty pattern fits every line."""
    terms = [(bool(found["any"]), found["quoted"] or found["plain"]) for found in _TERM.finditer(pattern or "")]
    demanded = [term for is_optional, term in terms if not is_optional]
    optional = [term for is_optional, term in terms if is_optional]
    # Beside a demanded term, those with a question mark are ignored.
    if demanded:
        return all(term in message for term in demanded)
    return not optional or any(term in message for term in optional)
