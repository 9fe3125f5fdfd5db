"""Speed, memory and estimates of the current checkout on real models, beside the bars it has to pass and its peers.

Run `python -m benchmarks`. The figures of peers and the bars are data: references.toml.
"""
