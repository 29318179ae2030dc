"""What a video comes from: a file, or a camera that is called "camera:0"."""

from __future__ import annotations

import glob
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from boxmask.errors import UsageError, VideoError
from boxmask.file_kinds import is_file, is_folder, is_video
from boxmask.messages import one_line
from boxmask.outputs import is_output
from boxmask.prediction.video.pyav import import_av

if TYPE_CHECKING:
    from av.container import InputContainer

CAMERA = "camera:"
CAMERA_OPTIONS = {"framerate": "30"}
NO_CAMERA = "No camera was found. Connect one, or allow this program to use it."
TIMEOUT = 10.0  # seconds, for a camera to open and to give the next frame

# Formats of videos. Playlists, which name other files, are not among them.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg,h264,hevc,ivf,mxf,dv,nut,"
    "mjpeg,obu,yuv4mpegpipe"
)


def is_video_input(given: str | Path) -> bool:
    """Whether an input of `predict` is a camera, or a file with the suffix of a video."""
    return is_camera(given) or (is_video(str(given)) and not is_folder(Path(given)))


def is_camera(given: str | Path) -> bool:
    """Whether an input is the name of a camera: "camera:0"."""
    return str(given).startswith(CAMERA)


def only_videos(inputs: Sequence[str | Path]) -> bool:
    """Whether the inputs are videos. Raises UsageError if they are videos and photos."""
    videos = [given for given in inputs if is_video_input(given)]
    if videos and len(videos) < len(inputs):
        other = next(given for given in inputs if not is_video_input(given))
        raise UsageError(
            f"{videos[0]} is a video, and {other} is not. Predict videos and photos in separate calls."
        )
    return bool(videos)


def find_videos(inputs: Sequence[str | Path]) -> list[str]:
    """The cameras and files that the inputs name, each once.

    A glob, "clips/*.mp4", stands for its files, except those that boxmask wrote. A missing file stays in
    the list: opening it reports the error. Raises VideoError for a glob that matches outputs only.
    """
    found: dict[str, None] = {}
    for given in map(str, inputs):
        is_pattern = not is_camera(given) and not is_file(Path(given)) and glob.has_magic(given)
        found |= dict.fromkeys(_matches(given) if is_pattern else [given])
    return list(found)


def _matches(pattern: str) -> list[str]:
    """The files of a pattern; the pattern itself if there are none."""
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    videos = [match for match in matches if not is_output(Path(match))]
    if matches and not videos:
        raise VideoError(
            f"{pattern}: this glob matches only files that boxmask wrote. To use them, give their names."
        )
    return videos or [pattern]


def source_name(source: str | Path) -> str:
    """The name of the files that are written for a video, without suffix: "clip", or "camera-0"."""
    if is_camera(source):
        device = Path(str(source).removeprefix(CAMERA)).name
        return f"camera-{device}"
    return Path(source).stem


def open_source(source: str | Path) -> InputContainer:
    """Open a file or a camera. Raises VideoError if it is missing, or if it is not a video."""
    return _open_camera(str(source)) if is_camera(source) else _open_file(Path(source))


def _open_file(path: Path) -> InputContainer:
    av = import_av()
    if is_folder(path):
        raise VideoError(
            f"{path}: expected a video, found a folder. Give the video files, for example {path}/*.mp4."
        )
    if not is_file(path):
        raise VideoError(f"{path}: this video does not exist. Check the path.")
    if not path.stat().st_size:
        raise VideoError(f"{path}: this file is empty. Replace it with an intact copy.")
    try:
        options = {"format_whitelist": _FORMATS}
        file: InputContainer = av.open(f"file:{path}", options=options, metadata_errors="replace")
        return file
    except PermissionError as error:
        raise VideoError(f"{path}: no permission to read this video. Change its permissions.") from error
    except av.FFmpegError as error:
        raise VideoError(
            f"{path}: this file is not a video, or its beginning or end is damaged. Use an intact copy."
        ) from error


# ---------------------------------------------------------------- cameras


def _open_camera(source: str) -> InputContainer:
    av = import_av()
    system, device = _device(source.removeprefix(CAMERA))
    try:
        camera: InputContainer = av.open(
            device, format=system, container_options=CAMERA_OPTIONS, timeout=TIMEOUT
        )
        return camera
    except (av.FFmpegError, ValueError) as error:
        cameras = ", ".join(f"{CAMERA}{index} ({name})" for index, name in enumerate(camera_names()))
        known = f"Cameras that were found: {cameras}." if cameras else NO_CAMERA
        raise VideoError(f"{source}: this camera cannot be opened ({one_line(error)}). {known}") from error


def camera_names() -> list[str]:
    """The names of the cameras of this machine, in the order of their numbers, as far as they are known."""
    av = import_av()
    if not hasattr(av, "enumerate_input_devices"):  # an older PyAV
        return []
    try:
        devices = av.enumerate_input_devices(_system())
    except (av.FFmpegError, ValueError):
        return []
    return [
        device.description or device.name
        for device in devices
        if not device.media_types or "video" in device.media_types
    ]


def _system() -> str:
    """The system of cameras, as FFmpeg calls it."""
    return {"darwin": "avfoundation", "win32": "dshow"}.get(sys.platform, "v4l2")


def _device(name: str) -> tuple[str, str]:
    """The system of cameras, and the name in it of a camera that is called by its number or name."""
    system = _system()
    if system == "avfoundation":
        return system, f"{name or 0}:none"
    if system == "v4l2":
        return system, f"/dev/video{name or 0}" if name.isdecimal() or not name else name
    names = camera_names()
    if name.isdecimal() and int(name) < len(names):
        name = names[int(name)]
    return system, f"video={name}"
