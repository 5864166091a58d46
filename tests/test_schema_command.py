from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import jsonschema
import pytest

Vidspec = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize("name", ["shotlist", "provider", "lock"])
def test_a_schema_is_printed_for_editors(vidspec: Vidspec, name: str) -> None:
    ended = vidspec("schema", name)
    assert (ended.returncode, ended.stderr) == (0, "")
    value = json.loads(ended.stdout)
    jsonschema.Draft202012Validator.check_schema(value)
    assert value["title"].startswith("vidspec")


def test_the_schema_of_shot_lists_is_the_one_without_a_name(vidspec: Vidspec) -> None:
    assert vidspec("schema").stdout == vidspec("schema", "shotlist").stdout


def test_a_schema_that_there_is_not_is_exit_2(vidspec: Vidspec) -> None:
    ended = vidspec("schema", "nothing")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "'shotlist'" in ended.stderr
