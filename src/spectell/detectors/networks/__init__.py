"""Networks: estimators that are trained with PyTorch, and the only package of the detectors that may import it.

`estimators` and `base` describe the four of them and load PyTorch when one is fitted; `modules` makes trainable layers
of a plan, `input_layer` the features, `training` goes through the epochs. What was learned becomes a
`spectell.detectors.network_head.NetworkHead`, which is NumPy.
"""
