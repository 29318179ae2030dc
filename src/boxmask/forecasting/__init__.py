"""What more labeled photos would bring, from trainings on growing parts of the present ones."""
