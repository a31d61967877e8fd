"""What five up-samplings leave in the spectrum of the same networks; `experiment` is what runs."""
