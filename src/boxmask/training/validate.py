"""Evaluation on the validation photos during training; the best weights are saved."""

from __future__ import annotations

from boxmask.training.session import Session


def validate(session: Session, progress: float) -> None:
    """Evaluate on the validation photos at `progress` in 0..1, and save the weights if they are the best.

    The task's first metric that could be computed decides. If it is equal, the later weights are kept.
    Without validation photos, the latest weights count as the best.
    """
    state, report = session.state, session.report
    state.num_validated = int(progress * session.recipe.num_validations)
    if not len(session.val):
        state.save_best(session.run)
        return
    minutes = state.seconds / 60  # taken first: evaluation does not count as training time
    evaluation = _evaluate(session)
    values = {name: evaluation.get(name) for name in session.task.metrics}
    metrics = {name: value for name, value in values.items() if value is not None}
    state.metrics = {**metrics, "images": evaluation["images"]}
    report.write_log({"step": state.clock.step, "minutes": minutes, "val": state.metrics})
    shown = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
    report.message(f"{100 * progress:3.0f} %  validation: {shown}")
    deciding = next(iter(metrics.values()), 0.0)
    if deciding >= state.best:
        state.best = deciding
        state.save_best(session.run)


def _evaluate(session: Session) -> dict[str, float | None]:
    report, network = session.report, session.state.result.eval()
    report.restart_estimate()

    def advance(done: int, total: int) -> None:
        report.advance(done, total, "validation photos")

    return session.task.validate(network, session.val, session.recipe, advance)
