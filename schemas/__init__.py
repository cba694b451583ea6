"""What the law and the message formats say: fields, codes, limits, rules. It imports nothing of ours."""
