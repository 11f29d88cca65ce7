"""Models of spiking neurons, one file each: the parts of kind "neuron", named by their file.

A file defines `Neuron`, a subclass of `spikernel.network.neuron.NeuronLayer`, whose docstring says
what it must define. Where every layer has learned numbers of its own, it also assigns
`PARAMETERS`: how many, or the name of the field of `NetworkConfig` that holds how many (false is 0,
true is 1). It must be a literal, since counts are made where there is no torch.
"""
