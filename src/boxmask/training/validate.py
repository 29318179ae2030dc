"""Judging the present result on the validation photos, and keeping it if it is the best so far."""

from __future__ import annotations

from boxmask.training.session import Session


def validate(session: Session, progress: float) -> None:
    """Look at the validation split at `progress` in 0..1; of equals, the weights trained longest are kept."""
    state, report = session.state, session.report
    state.validated = int(progress * session.recipe.num_validations)
    if not len(session.val):
        state.save_best(session.run)
        return
    state.result.eval()
    minutes = state.seconds / 60  # judging does not count as training
    report.begin_count()

    def seen(done: int, photos: int) -> None:
        report.count(done, photos, "validation photos")

    evaluation = session.task.validate(state.result, session.val, session.recipe, seen)
    found = {name: evaluation.get(name) for name in session.task.metrics}
    figures = {name: figure for name, figure in found.items() if figure is not None}
    state.metrics = {**figures, "images": evaluation["images"]}
    report.write({"step": state.clock.step, "minutes": minutes, "val": state.metrics})
    said = ", ".join(f"{name} {figure:.3f}" for name, figure in figures.items())
    report.say(f"{100 * progress:3.0f} %  validation: {said}")
    deciding = next(iter(figures.values()), 0.0)
    if deciding >= state.best:
        state.best = deciding
        state.save_best(session.run)
