"""How plugins are let in: found, chosen, judged by what they say of dlkit, imported without harm to anybody else."""
