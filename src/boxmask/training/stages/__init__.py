"""The stages that trainings are made of."""
