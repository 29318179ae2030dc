from __future__ import annotations

from boxmask.forecasting.outlook import look_ahead
from boxmask.forecasting.sentences import budget_sentence, falling_warnings, sentences, warnings
from boxmask.runs.recipe import Recipe

PHOTOS = [25] * 3 + [50] * 3 + [100] * 2 + [200] * 2


def test_a_rising_curve_has_no_warning() -> None:
    curve = look_ahead(PHOTOS, [0.3, 0.31, 0.29, 0.4, 0.41, 0.39, 0.5, 0.5, 0.6, 0.6], (25, 200))
    assert warnings("AP", curve, 100, "test") == ()
    answer, about = sentences("AP", curve, 100, "test")
    assert answer.startswith("With 200 more training photos (400 in all), expect AP 0.")
    assert "on the same 100 test photos" in about


def test_flat_hidden_and_far_gains_are_warned_of() -> None:
    flat = look_ahead(PHOTOS, [0.5, 0.501, 0.499, 0.5, 0.5, 0.501, 0.5, 0.499, 0.5, 0.5], (25,))
    (warning,) = warnings("AP", flat, 100, "test")
    assert warning.startswith("the curve is flat: 25 more photos of the same kind would hardly raise AP.")
    noisy = [0.3, 0.4, 0.35, 0.38, 0.45, 0.36, 0.42, 0.5, 0.45, 0.52]
    (warning,) = warnings("AP", look_ahead(PHOTOS, noisy, (25,)), 100, "test")
    assert warning.startswith("chance hides the gain: two trainings")
    rising = look_ahead(PHOTOS, [0.3, 0.31, 0.29, 0.4, 0.41, 0.39, 0.5, 0.5, 0.6, 0.6], (300,))
    far, few = warnings("AP", rising, 8, "val")
    assert far.startswith("there are 200 training photos only, so 300 more are more than twice as many.")
    assert few.startswith("8 val photos are few")


def test_models_that_find_nothing_give_no_forecast() -> None:
    curve = look_ahead(PHOTOS, [0.0] * 10, (25,))
    (answer,) = sentences("AP", curve, 8, "test")
    assert answer.startswith("The models have hardly learned anything (AP 0.000), so nothing can be forecast")
    assert warnings("AP", curve, 8, "test") == ()


def test_falling_curves_are_warned_of() -> None:
    measured = [(4, 0.2), (4, 0.3), (58, 0.14), (29, 0.16), (58, 0.16)]
    (warning,) = falling_warnings("AP", 0.05, measured)
    assert warning.startswith("models of 4 photos are better than those of all 58 (AP 0.250 and 0.150).")
    assert falling_warnings("AP", 0.12, measured) == ()
    assert falling_warnings("AP", 0.01, [(4, 0.1), (8, 0.2)]) == ()


def test_the_budget_in_words() -> None:
    assert budget_sentence(Recipe(max_minutes=5)) == (
        "Each training took 5 minutes, whatever its number of photos."
    )
    assert budget_sentence(Recipe(epochs=30)) == (
        "Each training took as many steps as 30 passes over all training photos."
    )
