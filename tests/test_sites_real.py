"""The packaged sites against answers that the sites' servers really sent, where those are at hand."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from qetch import errors
from qetch.replay import ReplayAdapter
from tests.site_runs import SITES, bests, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., ReplayAdapter]

REAL = SITES.parent.parent / "shared" / "real"
pytestmark = pytest.mark.skipif(not REAL.exists(), reason="the collection of true answers is not here")

THREADS = [
    ("docs_example_threads", "po", 570368),
    ("posts_a_184187770_no_com_2019", "a", 184187770),
    ("thread_a_259144982_tail_2023", "a", 259144982),
    ("thread_g_51971506_sticky_raw", "g", 51971506),
    ("thread_v_456354102_m_img_2019", "v", 456354102),
    ("thread_wsg_4543456_webm_reply_2022", "wsg", 4543889),
]


def captured(name: str) -> Any:
    return json.loads((REAL / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """An adapter that answers URLs with JSON, all with the same status."""

    def adapter(answers: dict[str, Any], status: int = 200) -> ReplayAdapter:
        interactions = [
            {
                "request": {"method": "GET", "uri": url, "body": None, "headers": {}},
                "response": {
                    "status": {"code": status, "message": ""},
                    "headers": {"Content-Type": ["application/json"]},
                    "body": {"string": json.dumps(answer)},
                },
            }
            for url, answer in answers.items()
        ]
        text = yaml.safe_dump({"interactions": interactions, "version": 1})
        (tmp_path / "answers.yaml").write_text(text, encoding="utf-8")
        return ReplayAdapter(tmp_path)

    return adapter


# --- 4chan


@pytest.mark.parametrize(("name", "board", "number"), THREADS)
def test_a_true_thread_gives_each_of_its_files(serve: Serve, name: str, board: str, number: int) -> None:
    answer = captured(f"4chan/{name}")
    adapter = serve({f"https://a.4cdn.org/{board}/thread/{number}.json": answer})
    lists, made = run(adapter, "4chan", f"https://boards.4chan.org/{board}/thread/{number}")
    posts = [post for post in answer["posts"] if "tim" in post]
    assert [full.fragments[0] for full, _ in lists] == [
        f"https://i.4cdn.org/{board}/{post['tim']}{post['ext']}" for post in posts
    ]
    assert [(full.size, full.checksums["md5"]) for full, _ in lists] == [
        (post["fsize"], base64.b64decode(post["md5"]).hex()) for post in posts
    ]
    assert all(full.uploaded_by and full.title and full.uploaded_date for full, _ in lists)
    assert made.skipped == []


def test_a_true_index_has_times_of_sixteen_digits(serve: Serve) -> None:
    (thread,) = captured("4chan/index_a_259100232_tim16_2023")["threads"]
    adapter = serve({"https://a.4cdn.org/a/thread/259100232.json": thread})
    lists, _ = run(adapter, "4chan", "https://boards.4chan.org/a/thread/259100232")
    assert bests(lists) == [
        "4chan-a-259100232-1699029133827809-full",
        "4chan-a-259100232-1699143534910901-full",
    ]


def test_a_true_list_of_threads_is_followed_whole(serve: Serve) -> None:
    board = captured("4chan/docs_example_threadlist")
    numbers = [thread["no"] for page in board for thread in page["threads"]]
    thread = captured("4chan/docs_example_threads")
    files = sum("tim" in post for post in thread["posts"])
    answers = {f"https://a.4cdn.org/po/thread/{number}.json": thread for number in numbers}
    adapter = serve({"https://a.4cdn.org/po/threads.json": board, **answers})
    lists, _ = run(adapter, "4chan", "https://boards.4chan.org/po/")
    assert len(lists) == files * len(numbers)


# --- imgur


@pytest.mark.parametrize(
    ("name", "id_", "files"),
    [
        ("v3_image_PdvlRWc_still_2020", "PdvlRWc", {"link": ("https://i.imgur.com/PdvlRWc.jpg", 150117)}),
        ("v3_image_mvWNMH4_video_2020", "mvWNMH4", {"mp4": ("https://i.imgur.com/mvWNMH4.mp4", 7701069)}),
        (
            "v3_image_animated_gif_2015",
            "zVpyzhW",
            {
                "mp4": ("https://i.imgur.com/zVpyzhW.mp4", None),
                "link": ("https://i.imgur.com/zVpyzhWh.gif", None),
            },
        ),
    ],
)
def test_a_true_image_has_its_files(
    serve: Serve, name: str, id_: str, files: dict[str, tuple[str, int | None]]
) -> None:
    adapter = serve({f"https://api.imgur.com/3/image/{id_}": captured(f"imgur/{name}")})
    ((*contents,),), made = run(adapter, "imgur", f"https://imgur.com/{id_}")
    assert {content.variant: (content.fragments[0], content.size) for content in contents} == files
    assert made.skipped == []


def test_a_true_album_has_its_video_and_title(serve: Serve) -> None:
    answer = captured("imgur/v3_album_public_2020")
    adapter = serve({"https://api.imgur.com/3/album/JZXBHhn": answer})
    ((content,),), _ = run(adapter, "imgur", "https://imgur.com/a/JZXBHhn")
    assert (content.uid, content.size) == ("imgur-5vYIWWV-mp4", 2398247)
    assert (content.title, content.uploaded_by) == (answer["data"]["title"], answer["data"]["account_url"])


def test_a_true_gallery_album_has_all_its_images(serve: Serve) -> None:
    answer = captured("imgur/v3_gallery_album_25films_2015")
    adapter = serve({"https://api.imgur.com/3/gallery/dO484": answer})
    lists, made = run(adapter, "imgur", "https://imgur.com/gallery/dO484")
    assert [best.size for best, *_ in lists] == [image["size"] for image in answer["data"]["images"]]
    assert len(lists) == answer["data"]["images_count"]
    assert all(best.fragments[0].startswith("https://i.imgur.com/") for best, *_ in lists)
    assert made.skipped == []


def test_a_true_gallery_image_is_one_file(serve: Serve) -> None:
    adapter = serve({"https://api.imgur.com/3/gallery/rNdMhHm": captured("imgur/v3_gallery_image_2015")})
    ((content,),), _ = run(adapter, "imgur", "https://imgur.com/t/money/rNdMhHm")
    assert (content.fragments, content.size) == (["https://i.imgur.com/rNdMhHm.png"], 564133)


def test_a_true_tag_gives_its_images_and_the_images_of_its_albums(serve: Serve) -> None:
    answer = captured("imgur/v3_gallery_tag_cats_2015")
    albums = [item for item in answer["data"]["items"] if item["is_album"]]
    page = "https://api.imgur.com/3/gallery/t/cats/time/"
    empty = {**answer, "data": {**answer["data"], "items": []}}
    answers = {
        f"https://api.imgur.com/3/album/{album['id']}": {
            "data": {
                **album,
                "images": [{"id": f"in{album['id']}", "link": f"http://i.imgur.com/in{album['id']}.jpg"}],
            },
            "success": True,
            "status": 200,
        }
        for album in albums
    }
    lists, made = run(serve({f"{page}0": answer, f"{page}1": empty, **answers}), "imgur", "https://imgur.com/t/cats")
    assert len(albums) > 5
    assert len(lists) == len(answer["data"]["items"])
    assert made.skipped == []


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("error_404_image", 404, errors.NotFound),
        ("error_404_image", 200, errors.NotFound),
        ("error_429_jsonapi", 429, errors.RateLimited),
        ("error_429_jsonapi", 200, errors.RateLimited),
        ("v3_error_401_authentication_required", 401, errors.AuthenticationError),
        ("v3_error_401_authentication_required", 200, errors.AuthenticationError),
        ("v3_error_500_error_is_object", 500, errors.RemoteError),
        ("v3_error_500_error_is_object", 200, errors.RemoteError),
        ("v3_error_delete_image", 200, errors.AuthenticationError),
        ("v3_error_over_capacity_status1203", 200, errors.RateLimited),
        ("v3_error_over_capacity_status1203", 500, errors.RateLimited),
    ],
)
def test_a_true_error_has_its_outcome(serve: Serve, name: str, status: int, error: type[errors.QetchError]) -> None:
    adapter = serve({"https://api.imgur.com/3/image/8pCqe": captured(f"imgur/{name}")}, status)
    with pytest.raises(errors.QetchError) as raised:
        run(adapter, "imgur", "https://imgur.com/8pCqe")
    assert type(raised.value) is error


# --- gfycat


@pytest.mark.parametrize(
    ("name", "sizes", "count"),
    [
        ("FragrantBeneficialCornsnake_2017", [29396821, 8280835, 10788933], 15),
        ("FamiliarFloweryArrowcrab_2018", [966717, 828137, None], 12),
    ],
)
def test_a_true_gfycat_has_its_variants(serve: Serve, name: str, sizes: list[int | None], count: int) -> None:
    answer, id_ = captured(f"gfycat/v1_{name}"), name.partition("_")[0]
    user = answer["gfyItem"]["userName"]
    adapter = serve({f"https://api.gfycat.com/v1/gfycats/{id_}": answer})
    ((*contents,),), made = run(adapter, "gfycat", f"https://gfycat.com/{id_}")
    assert [content.size for content in contents[:3]] == sizes
    assert [content.quality for content in contents[:4]] == [1.0, 0.5, 0.25, 0.0]
    assert len(contents) == count
    for content in contents:
        assert content.fragments == [answer["gfyItem"][content.variant]]
        assert content.uploaded_by == (None if user == "anonymous" else user)
        assert content.uid == f"gfycat-{id_}-{content.variant}"
    assert made.skipped == []
