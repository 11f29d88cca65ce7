"""Models of spiking neurons, one file each: the parts of kind "neuron", named by their file.

A file defines `Neuron`, a subclass of `spikernel.network.neuron.NeuronLayer`, whose docstring says
what it must define. Where every layer has learned numbers of its own, it also assigns
`PARAMETERS`: how many, or the name of the field of `NetworkConfig` that holds how many (false is 0,
true is 1); a net that has more or fewer parameters than that says is refused. Where only one number
of time steps makes sense, it assigns `TIME_STEPS`; with 1, cells with feedback are refused. Both
must be literals, since they are read where there is no torch.
"""
