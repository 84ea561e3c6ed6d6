"""YAML as profiles use it: one document, a mapping of text keys, each key once, no anchors.

PyYAML keeps the last of two equal keys without a word, and an alias can make a kilobyte mean a gigabyte; both are
refused here, with line and column. Sans-io.

*Source:* YAML 1.1, clause 3.2.1.1 (keys of a mapping are unique).
"""

from collections.abc import Hashable
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode


class _StrictLoader(yaml.SafeLoader):
    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # its stub has no types
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                problem = f"key {getattr(key, 'value', '?')!r} is not text; write it in quotes"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def parse_yaml(data: bytes) -> dict[str, Any]:
    """Return the mapping that a profile file holds.

    Args:
        data: the file, UTF-8, at most ``loading.MAX_PROFILE_BYTES``.

    Raises:
        ValueError: in one line, with line and column where known: not YAML, not a mapping, a key that is given twice
            or is not text, an alias, nesting too deep.
    """
    try:
        content = yaml.load(data, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader, stricter
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise ValueError(f"{place}{exc.problem or 'not YAML'}") from exc
    except (yaml.YAMLError, ValueError) as exc:
        raise ValueError(str(exc).splitlines()[0]) from exc
    except RecursionError as exc:
        raise ValueError("nested too deep") from exc
    if not isinstance(content, dict):
        raise ValueError("not a mapping of keys")  # noqa: TRY004 - the caller asks about content, not about types
    return content
