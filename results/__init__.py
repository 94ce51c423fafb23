"""What listeners' answers mean: agreement, intervals, models, figures. Not yet built."""
