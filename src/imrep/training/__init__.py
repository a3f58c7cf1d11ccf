"""Training of learned representations: data, schedules and records around Lightning's Trainer."""
