"""Judging the present result on the validation photos, and keeping it if it is the best so far."""

from __future__ import annotations

from boxmask.evaluation.evaluate import evaluate
from boxmask.training.session import Session


def validate(session: Session, progress: float) -> None:
    """Look at the validation split at `progress` in 0..1; of equals, the weights trained longest are kept."""
    state, report = session.state, session.report
    state.validated = int(progress * session.recipe.validations)
    if not len(session.val):
        state.save_best(session.run)
        return
    state.result.eval()
    minutes = state.seconds / 60  # judging does not count as training
    report.begin_count()

    def seen(done: int, photos: int) -> None:
        report.count(done, photos, "validation photos")

    evaluation = evaluate(
        state.result, session.val, interval=False, unseen_classes=session.recipe.unseen_classes, progress=seen
    ).as_json()
    state.metrics = {name: evaluation[name] for name in ("AP", "AP50", "AP75", "images")}
    ap, ap50 = state.metrics["AP"] or 0.0, state.metrics["AP50"] or 0.0
    report.write({"step": state.clock.step, "minutes": minutes, "val": state.metrics})
    report.say(f"{100 * progress:3.0f} %  validation: AP {ap:.3f}, AP50 {ap50:.3f}")
    if ap >= state.best_ap:
        state.best_ap = ap
        state.save_best(session.run)
