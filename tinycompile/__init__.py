"""tinycompile: turns a quantized .tflite model into plain C made for one model on one microcontroller."""
