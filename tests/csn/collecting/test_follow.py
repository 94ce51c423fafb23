"""Maps after an update: points stay where they were until too much has changed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from csn.collecting import maps
from csn.collecting.build import build
from csn.corpora import open_corpus
from csn.errors import LibraryError
from csn.instruments import EMBEDDING
from csn.library import Library
from csn.maps import SUBSPACES, place
from tests.csn.fake_model import RATE, FakeModel, noise


def write(file: Path, seed: int) -> None:
    sf.write(file, noise(seed, 30.0), RATE, subtype="PCM_16")  # 19 segments


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for i in range(24):
        write(folder / f"{i:02d}.wav", i)
    return folder


def update(music: Path, folder: Path) -> tuple[Library, list[str]]:
    said: list[str] = []

    def finish(old: Library | None, new: Library, origins: np.ndarray) -> None:
        said.append(maps.follow(old, new, origins, method="pca", progress=False))

    corpus = open_corpus(f"mixes:{music}")
    return build(corpus, FakeModel(), folder, progress=False, finish=finish), said


def test_few_new_segments_are_placed_and_many_draw_the_maps_again(
    music: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    first, said = update(music, folder)
    assert said == ["The maps were drawn."] and len(first) == 24 * 19
    drawn = {name: first.map(name) for name in SUBSPACES}
    first = Library.open(shutil.copytree(folder, tmp_path / "first"))
    write(music / "05b.wav", 50)
    second, said = update(music, folder)
    assert said == ["The maps keep their points; 19 new segments were placed into them."]
    new = (second.segments["piece"] == "05b").to_numpy()
    for name in SUBSPACES:
        points = second.map(name)
        np.testing.assert_array_equal(points[~new], drawn[name])
        own = place(first, name, second.vectors[new, :EMBEDDING])
        np.testing.assert_array_equal(points[new], own)
    grown = {name: second.map(name) for name in SUBSPACES}
    (music / "00.wav").unlink()  # 19 came and 19 went of 456 that were drawn: below a tenth
    third, said = update(music, folder)
    assert said == ["The maps keep their points."]
    for name in SUBSPACES:
        np.testing.assert_array_equal(third.map(name), grown[name][19:])
    (music / "01.wav").unlink()  # and now above
    fourth, said = update(music, folder)
    assert said == ["The maps were drawn again, since 19 segments have come or gone."]
    anew = update(music, tmp_path / "anew")[0]
    for name in SUBSPACES:
        np.testing.assert_array_equal(fourth.map(name), anew.map(name))
    assert update(music, folder)[1] == []  # nothing has changed


def test_maps_of_two_methods_both_follow(music: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    library = update(music, folder)[0]
    for file in sorted((folder / "maps").glob("pca-*.npz")):
        content = dict(np.load(file))
        np.savez(file.with_name(file.name.replace("pca", "tsne")), **content)
    write(music / "06b.wav", 51)
    update(music, folder)
    new = Library.open(folder)
    for method in ("pca", "tsne"):
        assert len(new.map("drums", method)) == len(library) + 19
    with pytest.raises(LibraryError, match="no umap map"):
        new.map("drums", "umap")
