"""What happens to output before it is visible: names, and files that wait to be published."""
