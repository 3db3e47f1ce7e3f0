"""What runs beside the student's code: the zygote, its workers, and the students' cells."""
