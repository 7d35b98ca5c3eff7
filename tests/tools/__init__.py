"""Programs that hunt, count and write pages, and the parts that several tests share."""
