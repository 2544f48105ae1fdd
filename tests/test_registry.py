"""Which spec claims a URL, and the class that is made of it."""

from __future__ import annotations

import gc
import importlib
import logging
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

import qetch.extractors
from qetch import paths
from qetch.errors import InvalidURL, SiteClosed, SpecError, UnsupportedURL, UserError
from qetch.extractors import find_extractor, hosts, modules
from qetch.extractors._common import BaseExtractor
from qetch.extractors.registry import Match, Registry, doubly_claimed, registry, set_folders
from qetch.spec import read
from tests.little_specs import names, put, spec

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user without anything."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("QETCH_SITES", raising=False)
    set_folders([])
    yield tmp_path
    set_folders([])


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    folder = tmp_path / "sites"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def claim(found: Registry, url: str) -> Match:
    """The claim on a URL that somebody claims."""
    match = found.match(url)
    assert match
    return match


def test_the_first_handle_in_the_file_that_matches_claims_the_url(sites: Path, cache: Path) -> None:
    handles = {
        "album": (r"^https://one\.example/a/(?P<id>\w+)", "a/x"),
        "any": (r"^https://one\.example/(?P<id>.+)", "z"),
    }
    put(sites, one=spec("one", handles=handles))
    found = Registry([sites], cache)
    assert found.problems == []
    album, other = claim(found, "https://one.example/a/123"), claim(found, "https://one.example/b/123")
    assert (album.entry.name, album.handle, album.match["id"]) == ("one", "album", "123")
    assert other.handle == "any"


def test_hosts_are_matched_in_lower_case_and_without_the_usual_port(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    assert claim(Registry([sites], cache), "HTTPS://One.Example:443/i/Ab").match["id"] == "Ab"


def test_a_url_of_another_host_or_of_no_handle_is_not_claimed(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    found = Registry([sites], cache)
    assert found.match("https://one.example/other") is None
    assert found.match("https://evilone.example/i/abc") is None
    with pytest.raises(InvalidURL):
        found.match("one.example/i/abc")


def test_specs_are_asked_by_folder_and_then_by_file_name(sites: Path, tmp_path: Path, cache: Path) -> None:
    handles = {"item": (r"^https://(?:\w+\.)?shared\.example/(?P<id>\w+)", "https://x.shared.example/x")}
    first = tmp_path / "first"
    first.mkdir()
    put(sites, b=spec("late", handles=handles, domains=["shared.example"]))
    put(sites, a=spec("early", handles=handles, domains=["x.shared.example"]))
    put(first, z=spec("first", handles=handles, domains=["shared.example"]))
    assert claim(Registry([sites], cache), "https://x.shared.example/x").entry.name == "early"
    assert claim(Registry([first, sites], cache), "https://x.shared.example/x").entry.name == "first"
    assert names(Registry([first, sites], cache)) == ["first", "early", "late"]


def test_a_regex_that_never_ends_is_stopped_and_the_next_one_is_asked(
    sites: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    handles = {
        "slow": (r"^https://one\.example/(?P<id>(?:a|aa)+)$", "aa"),
        "item": (r"^https://one\.example/(?P<id>\w+)!", "a!"),
    }
    put(sites, one=spec("one", handles=handles))
    with caplog.at_level(logging.WARNING, "qetch"):
        match = claim(Registry([sites], cache), f"https://one.example/{'a' * 60}!")
    assert match.handle == "item"
    assert "was stopped" in caplog.text


def test_an_unknown_name_is_refused_with_the_nearest_one(sites: Path, cache: Path) -> None:
    put(sites, one=spec("pictures"))
    with pytest.raises(UserError, match='did you mean "pictures"'):
        Registry([sites], cache).extractor("picture")
    with pytest.raises(UserError, match="`qetch sites` lists them"):
        Registry([sites], cache).extractor("xyz")


def test_a_url_on_a_known_host_that_no_handle_takes_is_unsupported(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    found = Registry([sites], cache)
    with pytest.raises(UnsupportedURL, match="one has no handle for this URL"):
        found.find("https://one.example/x?token=1")
    with pytest.raises(UnsupportedURL, match=r"no site claims this URL.* --sites DIR, or QETCH_SITES"):
        found.find("https://two.example/x")


def test_a_url_of_a_dead_site_that_no_handle_takes_says_so_and_never_falls_through(sites: Path) -> None:
    put(sites, one=spec("one", top="status: dead\nnote: It closed in 2023.\n"))
    set_folders([sites])
    for url in ("https://one.example/x", "https://cdn.one.example/clip.mp4"):
        with pytest.raises(SiteClosed, match="one is closed: It closed in 2023"):
            find_extractor(url)
    assert find_extractor("https://one.example/i/abc").name == "one"


def test_a_broken_spec_is_listed_and_left_out(sites: Path, cache: Path) -> None:
    put(sites, bad="qetch: 1\nname: [", empty="", good=spec("good"))
    for found in (Registry([sites], cache), Registry([sites], cache)):
        assert names(found) == ["good"]
        assert {Path(problem.file).name for problem in found.problems} == {"bad.yaml", "empty.yaml"}


def test_broken_specs_are_said_once_and_only_when_a_url_could_be_theirs(
    sites: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(sites, bad="qetch: [", worse="")
    set_folders([sites])
    with caplog.at_level(logging.WARNING, "qetch"):
        assert registry().match("https://plain.example/page") is None
        assert not caplog.records  # the URL may be somebody's else
        for url in ("https://plain.example/page", "https://plain.example/other"):
            with pytest.raises(UnsupportedURL):
                find_extractor(url)
    [record] = caplog.records
    assert "a spec was left out" in record.message
    assert "bad.yaml" in record.message
    assert "1 more" in record.message


def test_a_folder_of_the_environment_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QETCH_SITES", str(tmp_path / "nowhere"))
    set_folders([])
    with caplog.at_level(logging.WARNING, "qetch"):
        registry()
        registry()
    [record] = caplog.records
    assert record.message == f"QETCH_SITES names {tmp_path / 'nowhere'}, and there is no such folder"


def test_who_has_no_handle_for_a_url_shows_what_it_takes(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"), two=spec("two", domains=["two.example", "one.example"]))
    with pytest.raises(UnsupportedURL) as caught:
        Registry([sites], cache).find("https://one.example/other")
    assert str(caught.value).endswith(
        "one and two have no handle for this URL"
        " - they take such as https://one.example/i/abc and https://two.example/i/abc"
    )


def test_a_name_is_had_by_the_first_that_uses_it(sites: Path, tmp_path: Path, cache: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    put(sites, one=spec("one"))
    put(other, mine=spec("one", domains=["mine.example", "one.example"]))
    found = Registry([sites, other], cache)
    assert [entry.path for entry in found.entries] == [str(sites / "one.yaml")]
    [problem] = found.problems
    assert (problem.file, problem.line, problem.column) == (str(other / "mine.yaml"), 2, 7)
    assert problem.message == f'the name "one" is taken by {sites / "one.yaml"}'


def test_a_packaged_name_cannot_be_taken(sites: Path, cache: Path) -> None:
    packaged = Registry([paths.package_sites()], cache).entries[0]
    put(sites, aaa=spec(packaged.name))
    put(sites, bbb=spec("other", top=f"class: {packaged.class_name}\n"))
    found = Registry([paths.package_sites(), sites], cache)
    messages = {problem.message for problem in found.problems}
    assert f'the name "{packaged.name}" is taken by a packaged site' in messages
    assert f'the class "{packaged.class_name}" is taken by a packaged site' in messages
    assert all(entry.rank == 0 for entry in found.entries)


@pytest.mark.parametrize("top", ["class: BaseExtractor\n", "class: GenericExtractor\n"])
def test_the_classes_of_qetch_itself_cannot_be_taken(sites: Path, cache: Path, top: str) -> None:
    put(sites, one=spec("one", top=top))
    [problem] = Registry([sites], cache).problems
    assert "is taken by qetch itself" in problem.message


def test_a_folder_named_twice_does_not_quarrel_with_itself(sites: Path, tmp_path: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    (tmp_path / "link").symlink_to(sites)
    found = Registry([sites, tmp_path / "link", sites], cache)
    assert names(found) == ["one"]
    assert found.problems == []


def test_odd_things_in_a_folder_do_no_harm(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    (sites / "folder.yaml").mkdir()
    (sites / "dangling.yaml").symlink_to(sites / "nothing")
    (sites / "old.yml").write_text("qetch: 1")
    (sites / ".hidden.yaml").write_text("qetch: 1")
    (sites / "readme.txt").write_text("qetch: 1")
    found = Registry([sites], cache)
    assert names(found) == ["one"]
    assert {Path(problem.file).name for problem in found.problems} == {"folder.yaml", "dangling.yaml", "old.yml"}


def test_a_folder_that_is_not_there_holds_no_specs(tmp_path: Path, cache: Path) -> None:
    assert Registry([tmp_path / "nothing"], cache).entries == []


def test_examples_that_two_specs_claim_are_reported_at_their_place(sites: Path) -> None:
    wide = {"any": (r"^https://(?:\w+\.)?one\.example/(?P<id>.+)", "https://one.example/z")}
    put(sites, one=spec("one"), two=spec("two", handles=wide, domains=["one.example"]))
    compiled = [read(sites / "one.yaml"), read(sites / "two.yaml")]
    [problem] = doubly_claimed(compiled)
    assert problem.file == str(sites / "one.yaml")
    assert problem.line > 5
    assert problem.message == f'"any" of two claims this example too ({sites / "two.yaml"})'
    assert doubly_claimed(compiled[:1]) == []


def test_a_spec_must_get_along_with_those_beside_it_but_not_with_itself(sites: Path, cache: Path) -> None:
    put(sites, one=spec("one"))
    site = read(sites / "one.yaml")
    beside = Registry([sites], cache).entries
    assert doubly_claimed([site], beside) == []
    put(sites, copy=spec("one"))
    [problem] = doubly_claimed([read(sites / "copy.yaml")], beside)
    assert 'the name "one" is taken by' in problem.message
    handles = {"any": (r"^https://one\.example/i/(?P<id>\w+)$", "https://one.example/i/abc")}
    put(sites, twin=spec("twin", domains=["one.example"], handles=handles))
    [problem] = doubly_claimed([read(sites / "twin.yaml")], beside)
    assert '"item" of one claims this example too' in problem.message


def test_a_class_is_made_from_its_spec_and_is_the_same_each_time(sites: Path) -> None:
    put(sites, one=spec("one"))
    set_folders([sites])
    made = find_extractor("https://one.example/i/abc")
    assert issubclass(made, BaseExtractor)
    assert (made.__name__, made.name) == ("OneExtractor", "one")
    assert made is registry().extractor("one")
    assert made is qetch.extractors.OneExtractor
    set_folders([sites])
    assert made is registry().extractor("one")


def test_a_class_can_be_imported_from_a_module_of_its_own(sites: Path) -> None:
    put(sites, one=spec("picture-box"))
    set_folders([sites])
    module = importlib.import_module("qetch.extractors.picturebox")
    assert module.PictureBoxExtractor is qetch.extractors.PictureBoxExtractor
    assert module.PictureBoxExtractor.__module__ == "qetch.extractors.picturebox"
    assert dir(module) == ["PictureBoxExtractor"]
    with pytest.raises(AttributeError, match="has no attribute 'Other'"):
        _ = module.Other


def test_a_class_and_its_instances_pickle(sites: Path) -> None:
    put(sites, one=spec("pickled"))
    set_folders([sites])
    made = registry().extractor("pickled")
    assert pickle.loads(pickle.dumps(made)) is made
    assert type(pickle.loads(pickle.dumps(made()))) is made


def test_a_class_whose_module_would_be_one_of_qetchs_own_lives_in_the_package(sites: Path) -> None:
    put(sites, one=spec("hosts"))
    set_folders([sites])
    made = registry().extractor("hosts")
    assert made.__module__ == "qetch.extractors"
    assert pickle.loads(pickle.dumps(made)) is made
    assert importlib.import_module("qetch.extractors.hosts") is hosts


def test_the_modules_of_the_package_are_known() -> None:
    files = {file.stem for file in Path(modules.__file__).parent.glob("[a-z]*.py")}
    assert files == modules.OWN_MODULES


def test_what_no_spec_makes_cannot_be_imported() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("qetch.extractors.nothing")
    with pytest.raises(AttributeError):
        _ = qetch.extractors.NothingExtractor
    with pytest.raises(AttributeError):
        _ = qetch.extractors.nothing
    with pytest.raises(ImportError):
        exec("from qetch.extractors import NothingExtractor")


def test_the_package_lists_its_classes(sites: Path) -> None:
    put(sites, one=spec("one"))
    set_folders([sites])
    assert {"BaseExtractor", "GenericExtractor", "OneExtractor", "find_extractor"} <= set(dir(qetch.extractors))


def test_a_spec_that_broke_since_the_start_is_refused(sites: Path) -> None:
    put(sites, one=spec("broken"))
    set_folders([sites])
    assert registry().match("https://broken.example/i/abc")
    (sites / "one.yaml").write_text("qetch: [")
    with pytest.raises(SpecError, match=r"one\.yaml"):
        find_extractor("https://broken.example/i/abc")


def test_a_hand_written_extractor_comes_before_the_specs_and_the_latest_first(sites: Path) -> None:
    put(sites, one=spec("one"))
    set_folders([sites])
    url = "https://one.example/i/abc"

    class First(BaseExtractor):
        handles: ClassVar = {"item": r"https://one\.example/"}

    class Second(BaseExtractor):
        handles: ClassVar = {"item": r"https://one\.example/i/"}

    assert find_extractor(url) is Second
    assert find_extractor("https://one.example/x") is First
    del First, Second
    gc.collect()
    assert find_extractor(url).name == "one"


def test_a_subclass_of_a_spec_takes_its_urls_over(sites: Path) -> None:
    put(sites, one=spec("one"))
    set_folders([sites])
    made = registry().extractor("one")
    mine = type("Mine", (made,), {})
    assert find_extractor("https://one.example/i/abc") is mine
    del mine
    gc.collect()


def test_the_generic_extractor_comes_last_and_only_if_it_is_wanted(sites: Path) -> None:
    put(sites, one=spec("one"))
    set_folders([sites])
    url = "https://files.example/clip.mp4"
    assert find_extractor(url).name == "generic"
    with pytest.raises(UnsupportedURL, match="no site claims this URL"):
        find_extractor(url, generic=False)
    with pytest.raises(UnsupportedURL, match="no site claims"):
        find_extractor("https://files.example/page")
    with pytest.raises(InvalidURL):
        find_extractor("clip.mp4")


def test_every_packaged_example_finds_the_class_of_its_spec(cache: Path) -> None:
    found = Registry([paths.package_sites()], cache)
    assert found.problems == []
    for entry in found.entries:
        site = read(Path(entry.path))
        for handle in site.handles.values():
            for example in handle.examples:
                match = claim(found, example.url)
                assert (match.entry.name, match.handle) == (entry.name, handle.name)
