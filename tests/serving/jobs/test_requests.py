"""What may be asked for, and what clients are told."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.serving.jobs.conftest import Client, Start
from tests.serving.jobs.fake_boxmask import WAITS

from boxmask.outputs import write_output
from boxmask.pages.render import content_policy as page_policy
from boxmask.serving.jobs.report import content_policy


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"data": "../photos"}, "data: there is no data set '../photos'; there are: photos"),
        ({"model": "yolo"}, "model: there is no method 'yolo'"),
        ({"minutes": 0}, "minutes: expected 0.05 or more, found 0.0"),
        ({"minutes": 1e9}, "minutes"),
        ({"minutes": "10"}, "minutes"),
        ({"size": 8}, "size"),
        ({"seed": -1}, "seed"),
        ({"device": "cuda"}, "device: there is no such field"),
        ({"kind": "export"}, "kind"),
        ({"init": "found-0123"}, "there is no job"),
        ({"kind": "compare", "models": ["ssd"] * 21}, "models"),
        ({"kind": "forecast", "more": [0]}, "more"),
    ],
)
def test_wrong_options_are_refused(start: Start, fields: dict[str, object], place: str) -> None:
    status, code, message = start().refused(**fields)
    assert status == (404 if code == "unknown-job" else 422)
    assert place in message


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/x/stop", "/v1/jobs/x/use", "/v1/jobs/x/remove"])
def test_forms_of_other_pages_are_refused(start: Start, path: str) -> None:
    reply = start().http.post(path, content="{}", headers={"Content-Type": "text/plain"})
    assert reply.status_code == 415


def test_each_kind_has_its_command(start: Start, photos: Path, out: Path) -> None:
    client = start()
    client.wait(client.add(seed=WAITS), "running")
    compare = client.add(kind="compare", models=["ssd", "fcos"], folds=3, minutes=0.5, seed=7)
    assert compare["command"] == (
        f"boxmask compare {photos} --out {out}/comparison-1 --models ssd,fcos --folds 3 --max-minutes 0.5 "
        "--seed 7"
    )
    forecast = client.add(kind="forecast", more=[25, 50])
    assert forecast["command"] == (
        f"boxmask forecast {photos} --out {out}/forecast-1 --model ssd --more 25 50 --max-minutes 10"
    )


def test_without_data_there_are_no_jobs(start: Start) -> None:
    client = start(data=())
    assert client.http.get("/v1/jobs").status_code == 404
    assert client.refused()[0] in (404, 405)


def test_what_lies_in_out_is_listed(start: Start, photos: Path, out: Path) -> None:
    run = out / "by-hand"
    run.mkdir(parents=True)
    recipe = {"data": str(photos), "recipe": {"model": "fcos", "max_minutes": None, "epochs": 3}}
    (run / "recipe.json").write_text(json.dumps(recipe))
    (run / "resume.safetensors").touch()
    (out / "damaged").mkdir()
    (out / "damaged" / "recipe.json").write_text("{")
    (out / "elsewhere").symlink_to(photos)
    client = start()
    (job,) = client.http.get("/v1/jobs").json()["jobs"]
    assert (job["name"], job["models"], job["state"], job["minutes"]) == ("by-hand", ["fcos"], "stopped", 0)
    assert job["actions"] == ["resume"]
    client.act(job, "resume")
    assert client.wait(job, "done")["name"] == "by-hand"
    assert len(client.http.get("/v1/jobs").json()["jobs"]) == 1


def test_a_run_of_another_data_set_is_not_resumed(start: Start, out: Path, tmp_path: Path) -> None:
    run = out / "by-hand"
    run.mkdir(parents=True)
    recipe = {"data": str(tmp_path / "others"), "recipe": {"model": "fcos"}}
    (run / "recipe.json").write_text(json.dumps(recipe))
    client = start()
    (job,) = client.http.get("/v1/jobs").json()["jobs"]
    assert job["actions"] == []
    reply = client.act(job, "resume")
    assert reply.status_code == 409
    assert "--data" in reply.json()["error"]["message"]


def test_a_run_that_another_process_trains_is_left_alone(start: Start, photos: Path, out: Path) -> None:
    run = out / "by-hand"
    run.mkdir(parents=True)
    (run / "recipe.json").write_text(json.dumps({"data": str(photos), "recipe": {"model": "fcos"}}))
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": "now"}
    (run / ".owner").write_text(json.dumps(owner))
    client = start()
    own = client.add(seed=WAITS)
    client.wait(own, "running")
    (job,) = [each for each in client.http.get("/v1/jobs").json()["jobs"] if each["name"] == "by-hand"]
    assert (job["state"], job["actions"]) == ("running", [])
    for action in ("stop", "resume", "remove"):
        assert client.act(job, action).status_code == 409
    assert client.look(own)["state"] == "running"


def test_the_evaluation_of_a_run_is_its_report(start: Start, out: Path) -> None:
    client = start()
    job = client.wait(client.add(), "done")
    assert not job["has_report"]
    write_report(out / job["name"] / "evaluation.html")
    assert client.look(job)["has_report"]
    assert client.http.get(f"/v1/jobs/{job['id']}/report").status_code == 200


def test_the_progress_of_a_training(start: Start, out: Path) -> None:
    client = start()
    job = client.add(seed=WAITS, minutes=1)
    client.wait_for_folder(job, out)
    now = client.look(job)
    assert now["progress"] == {
        "step": "training",
        "item": "",
        "share": 0.5,
        "seconds_left": 30.0,
        "images_per_second": 8.0,
    }
    assert now["curves"]["minutes"] == [0.5]
    assert now["curves"]["losses"] == {"box": [1.5]}


def test_pictures_are_found_by_listed_names(start: Start, out: Path) -> None:
    client = start()
    job = client.wait(client.add(), "done")
    folder = out / job["name"] / "predictions"
    folder.mkdir()
    (folder / "validation-050.jpg").write_bytes(b"\xff\xd8picture")
    (folder / "other.jpg").write_bytes(b"other")
    assert client.look(job)["pictures"] == [{"name": "validation-050.jpg", "percent": 50}]
    reply = client.http.get(f"/v1/jobs/{job['id']}/pictures/validation-050.jpg")
    assert (reply.content, reply.headers["content-type"]) == (b"\xff\xd8picture", "image/jpeg")
    for name in ("other.jpg", "..%2Frecipe.json", "%2Fetc%2Fpasswd"):
        assert client.http.get(f"/v1/jobs/{job['id']}/pictures/{name}").status_code == 404


# ---------------------------------------------------------------- reports


def write_report(file: Path) -> None:
    """A report as boxmask writes them."""
    style, script = "body {}", "void 0"
    policy = page_policy(style, script).replace("'", "&#39;")
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    with write_output(file) as partial:
        partial.write_text(f"<html>{head}<style>{style}</style><script>{script}</script>")


def report_in(out: Path, client: Client) -> tuple[str, Path]:
    """A comparison with a report that boxmask wrote."""
    folder = out / "compared"
    (folder / "runs").mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps({"data": "photos"}))
    write_report(folder / "report.html")
    (job,) = client.http.get("/v1/jobs").json()["jobs"]
    assert job["has_report"]
    return job["id"], folder / "report.html"


def test_a_report_runs_its_own_script_alone(start: Start, out: Path) -> None:
    client = start()
    job, _ = report_in(out, client)
    reply = client.http.get(f"/v1/jobs/{job}/report")
    assert reply.status_code == 200
    policy = reply.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'none'; sandbox allow-scripts")
    assert "'sha256-" in policy
    assert "unsafe" not in policy
    assert reply.headers["cache-control"] == "no-store"
    assert content_policy("a", "b").startswith("default-src 'none'; img-src data:; style-src 'a'")


def test_a_report_that_was_changed_is_refused(start: Start, out: Path) -> None:
    client = start()
    job, report = report_in(out, client)
    report.write_text(report.read_text().replace("void 0", "alert(1)"))
    reply = client.http.get(f"/v1/jobs/{job}/report")
    assert reply.status_code == 409
    assert "was changed since" in reply.json()["error"]["message"]


def test_a_job_without_a_report_has_none(start: Start) -> None:
    client = start()
    assert client.http.get(f"/v1/jobs/{client.add()['id']}/report").status_code == 404


def test_the_choices_are_those_of_boxmask(start: Start) -> None:
    choices = start().http.get("/v1/jobs/choices").json()
    assert "faster-rcnn" in choices["models"]["detection"]
    assert choices["needs_masks"] == ["mask-rcnn"]
