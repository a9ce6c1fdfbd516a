package ledgertest

var batches, moving, claiming, submitting, budgets, letters, rest map[string]func(*bench)
