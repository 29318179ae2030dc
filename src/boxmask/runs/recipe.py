"""The recipe of a training: every choice besides the network's own, with its default.

The fields are the flags of `boxmask train`, and their docstrings the help. This file imports nothing heavy,
so that the help is instant.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from boxmask.errors import UsageError
from boxmask.options import check_choices
from boxmask.runs.method_defaults import METHOD_DEFAULTS, CropPolicy, MethodDefaults
from boxmask.runs.recipe_values import (
    AUTO,
    TrackerName,
    check_exclusive,
    check_limits,
    check_patience,
    check_range,
    parse_model_option,
)

DEFAULT_MINUTES = 10.0
DEFAULT_VALIDATIONS = 3

# The groups of flags in `boxmask train --help`, in this order.
BASICS = Group.create_ordered("Start here")
MODEL = Group.create_ordered("Model")
SCHEDULE = Group.create_ordered("Schedule")
OPTIMIZER = Group.create_ordered("Optimizer")
AUGMENTATION = Group.create_ordered("Augmentation")
DATA = Group.create_ordered("Data")
RUN = Group.create_ordered("Run")


@dataclass(frozen=True)
class Recipe:
    """How to train. Without --max-minutes and --epochs, training takes ten minutes.

    Raises UsageError for a value out of range.
    """

    model: Annotated[str, Parameter(group=BASICS)] = AUTO
    """The method. Boxes: rcnn, fast-rcnn, faster-rcnn, ssd, retinanet, fcos. Boxes and masks: mask-rcnn.
    The class of every pixel: fcn, unet, deeplab-v3. One class per photo: classifier. "auto": that of --init,
    else faster-rcnn."""
    max_minutes: Annotated[float | None, Parameter(group=BASICS)] = None
    """Training time in minutes, all stages and validations included. The learning rate schedule is scaled to
    it. Default: 10."""
    size: Annotated[int | Literal["auto"] | None, Parameter(group=BASICS)] = "auto"
    """Photos are resized so that their shorter side has this many pixels (SSD: both sides), at least 32.
    "auto" chooses it by the objects' sizes and the passes over the photos that the time allows. Where it
    cannot, it takes the preset's."""
    init: Annotated[str | None, Parameter(group=BASICS)] = None
    """Trained weights to start from: a run, a checkpoint, a file of torchvision's or timm's weights, or a
    name from boxmask weights list. All parts that fit are copied, and classes are matched by name."""
    seed: Annotated[int, Parameter(group=BASICS)] = 0
    """Random seed for new weights, photo order, augmentation and sampling."""

    preset: Annotated[str, Parameter(group=MODEL)] = "default"
    """Named set of model options: "default" suits small photos on a CPU, "paper" is the original network.
    The docs page of each method lists its presets."""
    backbone: Annotated[str | None, Parameter(group=MODEL)] = None
    """Name of a timm backbone, for example resnet18. Default: the preset's."""
    weights: Annotated[str, Parameter(group=MODEL)] = "imagenet"
    """Initial weights of the backbone: "imagenet", "hub" (timm's), "none" (random), or a file of weights.
    Not used with --init, --detector or --classifier."""
    detector: Annotated[Path | None, Parameter(group=MODEL)] = None
    """Trained detector to start from, like --init, to be combined with --classifier."""
    classifier: Annotated[Path | None, Parameter(group=MODEL)] = None
    """Trained classifier whose backbone is copied, instead of the detector's. Sources are those of --init."""
    model_options: Annotated[
        tuple[str, ...], Parameter(name="--model-option", group=MODEL, show_default=False)
    ] = ()
    """Any other field of the model's config, as NAME=VALUE, for example --model-option nms_iou=0.4. Repeat
    the flag for several."""
    anchors: Annotated[Literal["auto", "preset"], Parameter(group=MODEL)] = "auto"
    """"auto" fits the anchors and the finest map to the training objects, for the preset "default".
    "preset" keeps the preset's."""

    epochs: Annotated[int | None, Parameter(group=SCHEDULE)] = None
    """Number of passes over the training photos, instead of --max-minutes. On a CPU, the same seed then gives
    the same weights."""
    training: Annotated[Literal["joint", "alternating"], Parameter(group=SCHEDULE)] = "joint"
    """Faster R-CNN only. "joint" trains the RPN and the heads together; "alternating" follows the paper's
    four steps."""
    warmup: Annotated[float, Parameter(group=SCHEDULE)] = 0.05
    """Fraction of the training during which the learning rate rises linearly."""
    num_validations: Annotated[int | None, Parameter(group=SCHEDULE)] = None
    """Number of evaluations on the validation photos, evenly spaced. The best weights are kept. With
    --max-minutes, they take a tenth of the time at most. Default: 3, or four times --patience."""
    patience: Annotated[int | None, Parameter(group=SCHEDULE)] = None
    """Stop when the first validation metric has not risen for this many validations. The learning rate
    follows the planned time and is still high then: the training is shorter, and its metrics can be lower.
    Default: train to the end."""
    max_regions: Annotated[int | None, Parameter(group=SCHEDULE)] = None
    """R-CNN only. Maximum number of proposals per photo for the SVMs and box regressors. Default: as many as
    the time allows."""

    batch_size: Annotated[int | Literal["auto"], Parameter(group=OPTIMIZER)] = 4
    """Photos per step. "auto" tries a few steps, and takes the largest number that fits memory, up to where
    more are no faster. The default learning rate is scaled with it. The result depends on the machine."""
    optimizer: Annotated[Literal["adamw", "sgd"], Parameter(group=OPTIMIZER)] = "adamw"
    """AdamW, or SGD with momentum 0.9 as in the papers."""
    learning_rate: Annotated[float | None, Parameter(group=OPTIMIZER)] = None
    """Learning rate after warm-up. It then falls to zero along a cosine. Default: the method's."""
    backbone_lr_mult: Annotated[float, Parameter(group=OPTIMIZER)] = 0.25
    """Multiplier for the learning rate of the backbone."""
    weight_decay: Annotated[float, Parameter(group=OPTIMIZER)] = 0.01
    """Weight decay. Biases and normalization layers have none."""
    clip_norm: Annotated[float, Parameter(group=OPTIMIZER)] = 10.0
    """Maximum norm of the gradient."""
    ema_decay: Annotated[float, Parameter(group=OPTIMIZER)] = 0.998
    """Decay of the exponential moving average (EMA) of the weights. Runs save the averaged weights. 0 turns
    averaging off."""
    frozen_stages: Annotated[int | None, Parameter(group=OPTIMIZER)] = None
    """Number of backbone stages that are not trained: 1 freezes the layers up to stride 4, 2 up to stride 8,
    and so on. No effect on a backbone with random weights. Default: the method's."""

    flip: Annotated[float, Parameter(group=AUGMENTATION)] = 0.5
    """Probability of a horizontal flip."""
    vertical_flip: Annotated[float, Parameter(group=AUGMENTATION)] = 0.0
    """Probability of a vertical flip. Useful for photos taken from above."""
    crop_policy: Annotated[CropPolicy | None, Parameter(group=AUGMENTATION)] = None
    """Random crops. "jitter" rescales photos (see --scale) and crops or pads them; "large-jitter" rescales
    them by 0.1 to 2. "ssd", for detectors only, is the SSD paper's random crop and zoom-out. Default: the
    method's."""
    scale: Annotated[tuple[float, float], Parameter(group=AUGMENTATION)] = (0.75, 1.33)
    """Range of random rescaling: the smallest and the largest factor."""
    color_jitter: Annotated[float, Parameter(group=AUGMENTATION)] = 0.5
    """Probability of changing brightness, contrast, saturation and hue."""
    copy_paste: Annotated[float, Parameter(group=AUGMENTATION)] = 0.0
    """Detectors only. Probability of pasting objects of another photo. Objects without a mask are pasted with
    the soft rim of their box."""
    mosaic: Annotated[float, Parameter(group=AUGMENTATION)] = 0.0
    """Detectors and segmenters. Probability of putting parts of four photos together. The last 15 % of the
    training has no mosaics."""
    sampling: Annotated[Literal["uniform", "balanced"], Parameter(group=AUGMENTATION)] = "uniform"
    """How often photos are used. "balanced" repeats photos with rare classes, and --copy-paste then prefers
    rare classes."""

    split_seed: Annotated[int | None, Parameter(group=DATA)] = None
    """Random seed for a new split, if the data set has none of its own. Default: the split of the last run on
    the data set is kept and new photos join it; the first run takes seed 0."""
    split_file: Annotated[Path | None, Parameter(group=DATA)] = None
    """JSON file with the split: {"train": [names], "val": [...], "test": [...]}. Photos in a list "unused"
    are left out. Photos that were added later join a split that boxmask drew."""
    group_by: Annotated[str | None, Parameter(group=DATA)] = None
    """Draws a new split with photos that belong together on one side: "name" (before a running number),
    "folder", "capture-time", "likeness", "auto" (all evidence), or a regular expression that finds the group
    in a photo's path."""
    on_bad_boxes: Annotated[Literal["error", "skip"] | None, Parameter(group=DATA)] = None
    """What to do with boxes that are empty or outside their photo, and with outlines that cannot be read.
    Default: skip them if they are under 1 % of all, else stop. "skip" also leaves out points and lines."""
    on_bad_photos: Annotated[Literal["error", "skip"], Parameter(group=DATA)] = "error"
    """What to do with photos that are missing or damaged. "skip" leaves them out, also while training, and
    decodes each photo once to find them. The same holds for label maps."""
    on_unseen_classes: Annotated[Literal["error", "skip"], Parameter(group=DATA)] = "error"
    """What to do with classes that have no training photo."""
    classes: Annotated[
        tuple[str, ...] | None, Parameter(group=DATA, consume_multiple=1, show_default=False)
    ] = None
    """Classes to train on, by name, for example --classes cat dog. Other objects are left out; their photos
    stay, as background. In label maps, the pixels of other classes become "background". Default: all."""
    map: Annotated[tuple[str, ...], Parameter(group=DATA, consume_multiple=1, show_default=False)] = ()
    """Other names for classes, as OLD=NEW, for example --map Banan=Banana. Classes with the same new name are
    merged. --classes takes the new names."""
    classes_file: Annotated[Path | None, Parameter(group=DATA)] = None
    """Segmentation only. File that names the class of each color or index in the label maps. Default:
    classes.txt, .csv or .json in the data set."""
    on_unknown_colors: Annotated[Literal["error", "skip"], Parameter(group=DATA)] = "error"
    """Segmentation only. What to do with colors that the classes file does not name."""
    class_weights: Annotated[Literal["none", "balanced"], Parameter(group=DATA)] = "none"
    """Segmentation only. "balanced" gives rare classes more weight in the loss (median frequency
    balancing)."""

    workers: Annotated[int, Parameter(group=RUN)] = 1
    """Number of processes that load and augment photos. With 0, the training process does it."""
    cache_megabytes: Annotated[int, Parameter(group=RUN)] = 1000
    """Size of the cache for resized photos, in megabytes."""
    save_seconds: Annotated[float, Parameter(group=RUN)] = 60.0
    """Maximum time between two checkpoints for --resume, in seconds."""
    device: Annotated[str, Parameter(group=RUN)] = "auto"
    """"auto" (a GPU if there is one), "cpu", "cuda", or one of several GPUs, for example "cuda:1"."""
    precision: Annotated[Literal["no", "fp16", "bf16"], Parameter(group=RUN)] = "no"
    """Mixed precision. For GPUs."""
    log_with: Annotated[
        tuple[TrackerName, ...], Parameter(group=RUN, consume_multiple=1, show_default=False)
    ] = ()
    """Programs that also get the log: tensorboard, mlflow, wandb. They write into the run; nothing is sent
    unless your environment says so."""

    def __post_init__(self) -> None:
        """Raise UsageError for a value that is not one of a fixed set, or out of range."""
        check_exclusive(self, ("max_minutes", "epochs"), ("split_file", "group_by"), ("init", "detector"))
        check_choices(Recipe, vars(self))
        check_limits(self)
        check_range("scale", self.scale)
        check_patience(self.patience, self.num_validations)
        _ = self.option_values  # raises for text that is not NAME=VALUE

    @property
    def option_values(self) -> dict[str, object]:
        """The model options by name. Raises UsageError for text that is not NAME=VALUE."""
        return dict(parse_model_option(text) for text in self.model_options)

    @property
    def photos_per_step(self) -> int:
        """The batch size, once "auto" has become a number. Raises UsageError before."""
        if self.batch_size == "auto":
            raise UsageError('--batch-size "auto" has no number yet. Give a number here.')
        return self.batch_size

    @property
    def has_init(self) -> bool:
        """Whether the network starts from the weights of trained models."""
        return any(source is not None for source in (self.init, self.detector, self.classifier))

    @property
    def method(self) -> MethodDefaults:
        """The method's defaults, with the user's choices in their place."""
        defaults = METHOD_DEFAULTS.get(self.model, MethodDefaults())
        chosen = {field.name: getattr(self, field.name) for field in fields(MethodDefaults)}
        return replace(defaults, **{name: value for name, value in chosen.items() if value is not None})

    def with_method_defaults(self) -> Recipe:
        """The same recipe with the method's defaults written out; a later version cannot change them.

        The learning rate stays open while the batch size is "auto", with which it is scaled.
        """
        recipe = replace(self, num_validations=self.validations, **asdict(self.method))
        return replace(recipe, learning_rate=self.learning_rate) if self.batch_size == AUTO else recipe

    @property
    def validations(self) -> int:
        """The number of validations."""
        return self.num_validations or (4 * self.patience if self.patience else DEFAULT_VALIDATIONS)

    @property
    def minutes(self) -> float | None:
        """Training time in minutes. None if epochs are given."""
        return self.max_minutes if self.max_minutes or self.epochs else DEFAULT_MINUTES
