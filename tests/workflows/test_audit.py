import io
import json

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import Entry, Manifest, read_dataset, read_datasets
from spectell.datasets.splits import assign_splits
from spectell.errors import ManifestError, ParameterError
from spectell.workflows.audit import audit_manifest


@pytest.fixture
def make(tmp_path, rng):
    """Save `n` new pictures in a folder, each with the keywords of Pillow's save."""

    def save(folder, n=12, *, size=(48, 40), suffix="png", mode="RGB", **keywords):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for number in range(n):
            coarse = Image.fromarray(rng.integers(0, 256, (10, 12, 3), dtype=np.uint8))
            image = coarse.resize(size, Image.Resampling.BICUBIC).convert(mode)
            image.save(tmp_path / folder / f"{number}.{suffix}", **keywords)
        return tmp_path / folder.split("/")[0]

    return save


def leaks(report):
    return [leak.what for leak in report.leaks]


def test_files_that_agree_leak_nothing(make):
    make("set/real", suffix="jpg", quality=75)
    report = audit_manifest(read_dataset(make("set/gan", suffix="jpg", quality=75)))
    assert report.leaks == ()
    assert report.comparisons[0].auc.estimate == 0.5
    assert (report.images, report.examined, report.unreadable) == (24, 24, 0)


def test_another_format_is_a_leak_with_numbers_and_a_remedy(make):
    make("set/real", suffix="jpg", quality=90)
    report = audit_manifest(read_dataset(make("set/gan")))
    assert leaks(report) == ["format of gan"]
    assert report.leaks[0].evidence.startswith("real JPEG 100%; gan PNG 100%; this alone separates them with AUC 1.000")
    assert "save them alike" in report.leaks[0].remedy


def test_another_quality_and_subsampling_are_leaks(make):
    make("set/real", suffix="jpg", quality=95, subsampling=0)
    report = audit_manifest(read_dataset(make("set/gan", suffix="jpg", quality=75, subsampling=2)))
    assert leaks(report) == ["JPEG quality of gan", "JPEG subsampling of gan"]
    assert report.leaks[0].evidence.startswith("real 95 100%; gan 75 100%")
    assert report.leaks[1].evidence.startswith("real 4:4:4 100%; gan 4:2:0 100%")


def test_another_size_or_mode_is_a_leak(make):
    make("set/real", size=(48, 40))
    make("set/vae", mode="L")
    report = audit_manifest(read_dataset(make("set/gan", size=(40, 48))))
    assert leaks(report) == ["size of gan", "mode of vae"]
    assert report.leaks[0].evidence.startswith("real 48x40 100%; gan 40x48 100%")


def test_every_generator_is_compared_with_the_real_images_alone(make):
    make("set/real")
    make("set/gan")
    report = audit_manifest(read_dataset(make("set/vae", size=(64, 64))))
    assert [comparison.generator for comparison in report.comparisons] == ["gan", "vae"]
    assert leaks(report) == ["size of vae"]


def test_a_source_without_photographs_is_a_leak(make, tmp_path):
    make("photos/real")
    make("art/diffusion")
    report = audit_manifest(read_datasets([tmp_path / "photos", tmp_path / "art"]))
    assert leaks(report) == ["source of diffusion"]
    assert report.leaks[0].evidence == "diffusion comes from art, without a photograph; real comes from photos"


def test_a_file_with_both_labels_is_a_leak(make, tmp_path):
    make("set/real")
    root = make("set/gan")
    (root / "gan" / "x.png").write_bytes((root / "real" / "3.png").read_bytes())
    report = audit_manifest(read_dataset(root))
    assert leaks(report) == ["files with both labels"]
    assert report.duplicates.exact == report.duplicates.exact_across_classes == 1


def test_a_photograph_and_its_copy_of_the_other_class_are_counted_but_no_leak(make):
    root = make("set/real", size=(128, 128))
    (root / "gan").mkdir()
    for number in range(12):
        Image.open(root / "real" / f"{number}.png").convert("L").convert("RGB").save(root / "gan" / f"{number}.png")
    report = audit_manifest(read_dataset(root))
    assert report.leaks == ()
    assert report.duplicates.exact == 0
    assert report.duplicates.near == report.duplicates.near_across_classes == 12


def test_copies_in_two_splits_are_a_leak_until_the_splits_are_assigned_anew(make):
    make("set/real")
    root = make("set/gan")
    for number in range(12):
        Image.open(root / "gan" / f"{number}.png").save(root / "gan" / f"copy{number}.png", compress_level=1)
    manifest = read_dataset(root)
    halves = {"train": 0.5, "test": 0.5}
    report = audit_manifest(assign_splits(manifest, halves, near_duplicates=False))
    assert leaks(report) == ["copies across splits"]
    assert report.duplicates.across_splits > 0
    assert audit_manifest(assign_splits(manifest, halves)).leaks == ()


def test_a_divided_group_is_a_leak_even_where_it_was_not_examined(make):
    make("set/real")
    manifest = read_dataset(make("set/gan"))
    divided = manifest.with_values(splits=["train", "test"] * 12)
    report = audit_manifest(divided.with_values(groups=["all"] * 24), limit=1)
    assert leaks(report)[0] == "groups across splits"
    assert report.leaks[0].evidence.startswith("1 groups")


def test_the_limit_counts_files_of_each_class_and_takes_groups_together(make):
    make("set/real", n=30)
    manifest = read_dataset(make("set/gan", n=30))
    report = audit_manifest(manifest, limit=10)
    assert (report.images, report.examined) == (60, 20)
    assert [(known.generator, known.images, known.examined) for known in report.classes] == [
        ("real", 30, 10),
        ("gan", 30, 10),
    ]
    done = []
    audit_manifest(manifest, limit=10, on_progress=done.append)
    assert sum(done) == 20


def test_unreadable_files_are_counted_and_said(make):
    make("set/real")
    root = make("set/gan")
    (root / "gan" / "x.png").write_bytes(b"no image")
    report = audit_manifest(read_dataset(root))
    assert report.unreadable == 1
    assert "1 of 25 files cannot be read as images" in report.notes[0]
    assert report.classes[1].examined == 12


def test_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(ManifestError, match="none of the 1 examined files can be read"):
        audit_manifest(Manifest([Entry("a.png", 0, "real")], root=tmp_path))


def test_one_class_alone_has_counts_and_no_leaks(make):
    report = audit_manifest(read_dataset(make("set/real")))
    assert report.leaks == report.comparisons == ()
    assert report.classes[0].values["format"] == {"PNG": 12}


def test_generated_images_alone_have_no_figure(make):
    report = audit_manifest(read_dataset(make("set/gan"), require_real=False))
    assert report.leaks == ()
    assert report.comparisons[0].auc is None


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_of_nothing_is_refused(limit):
    with pytest.raises(ParameterError, match="limit must be a positive number of files"):
        audit_manifest(Manifest([], root="."), limit=limit)


def test_the_report_is_json(make):
    make("set/real", n=3)
    report = audit_manifest(read_dataset(make("set/gan", n=8, suffix="jpg")))
    loaded = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert loaded["comparisons"] == [
        {
            "generator": "gan",
            "auc": None,
            "by_fact": dict.fromkeys(report.comparisons[0].by_fact),
            "by_trace": {},
            "thumbnails": None,
        }
    ]
    assert loaded["classes"][1]["values"]["format"] == {"JPEG": 8}


@pytest.fixture
def textures(tmp_path, rng):
    """Save 12 noisy pictures of 96 x 96 in a folder, after `change`."""

    def save(folder, change=lambda image: image):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(12):
            coarse = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
            smooth = np.asarray(coarse.resize((96, 96), Image.Resampling.BICUBIC)).astype(float)
            noisy = np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)
            change(Image.fromarray(noisy)).save(tmp_path / folder / f"{folder[4:]}{number}.png")
        return tmp_path / "set"

    return save


def through_jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=70)
    return Image.open(buffer)


def test_a_former_jpeg_among_png_files_is_a_leak_that_only_pixels_show(textures):
    textures("set/real", through_jpeg)
    manifest = read_dataset(textures("set/gan"))
    assert audit_manifest(manifest).leaks == ()
    report = audit_manifest(manifest, pixels=True)
    assert leaks(report) == ["JPEG grid of gan", "JPEG quality in pixels of gan"]
    assert report.leaks[0].evidence.startswith(
        "real at 0,0 100%; gan none 100%; this alone separates them with AUC 1.0"
    )
    assert report.leaks[1].evidence.startswith("real quality 70 ")
    assert report.classes[0].traces["JPEG grid"] == {"at 0,0": 12}


def test_the_pixels_of_a_part_of_the_files_may_do(textures):
    textures("set/real", through_jpeg)
    manifest = read_dataset(textures("set/gan"))
    done = []
    report = audit_manifest(manifest, pixels=True, pixel_limit=8, on_progress=done.append)
    assert "JPEG grid of gan" in leaks(report)
    assert [each.examined for each in report.classes] == [12, 12]
    assert report.classes[0].traces["JPEG grid"] == {"at 0,0": 8}
    assert sum(done) == 24 + 16
    with pytest.raises(ParameterError, match="limit must be a positive number"):
        audit_manifest(manifest, pixels=True, pixel_limit=0)


def test_an_enlarged_class_is_a_leak_that_only_pixels_show(textures):
    textures("set/real")
    root = textures("set/gan", lambda image: image.resize((72, 72)).resize((108, 108), Image.Resampling.BILINEAR))
    manifest = read_dataset(root)
    report = audit_manifest(manifest, pixels=True)
    assert "resizing of gan" in leaks(report)
    assert next(iter(report.classes[1].traces["resizing"])) == "period 3.0"


def test_brightness_is_told_by_thumbnails_alone(textures):
    textures("set/real")
    root = textures("set/gan", lambda image: image.point(lambda value: value // 2))
    report = audit_manifest(read_dataset(root), pixels=True)
    assert leaks(report) == ["thumbnails of gan"]
    assert report.comparisons[0].thumbnails.estimate == 1.0
    dark = np.mean(report.classes[1].mean_thumbnail)
    assert dark == pytest.approx(np.mean(report.classes[0].mean_thumbnail) / 2, rel=0.1)


def test_pictures_too_small_to_tell_do_not_leak_a_history(textures, make):
    make("set/gan", size=(40, 40))
    report = audit_manifest(read_dataset(textures("set/real", through_jpeg)), pixels=True)
    assert leaks(report)[0] == "size of gan"
    assert set(report.comparisons[0].by_trace.values()) == {None}


def test_classes_made_alike_leak_nothing_in_their_pixels_either(textures):
    textures("set/real", through_jpeg)
    report = audit_manifest(read_dataset(textures("set/gan", through_jpeg)), pixels=True)
    assert report.leaks == ()
    assert report.comparisons[0].by_trace["JPEG grid"].estimate == 0.5


@pytest.mark.shared_data
def test_the_jpegs_that_the_photographs_of_apple2orange_once_were_are_found(shared_data):
    report = audit_manifest(read_dataset(shared_data / "apple2orange256"), limit=20, pixels=True)
    assert leaks(report)[:2] == ["JPEG grid of cyclegan", "JPEG quality in pixels of cyclegan"]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["apple2orange256", "faces256", "cifar32"])
def test_the_files_of_collections_written_by_one_script_say_nothing(shared_data, name):
    report = audit_manifest(read_dataset(shared_data / name), limit=100)
    assert report.leaks == ()
    assert report.comparisons[0].auc.estimate == 0.5


@pytest.mark.shared_data
def test_photographs_against_another_collections_samples_leak_in_three_ways(shared_data):
    report = audit_manifest(read_datasets([shared_data / "celeba178", shared_data / "diffusion512"]), limit=60)
    assert leaks(report) == [f"{what} of stable-diffusion" for what in ("source", "format", "size")]
    assert report.comparisons[0].auc.estimate == 1.0
