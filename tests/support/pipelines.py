"""Steps of pipelines, one or more of each kind, with images that they take."""

from costcalc import pipeline as p
from costcalc.pipeline.image_tensor import ImageTensor

COLOR = ImageTensor(3, 64, 48)
FLOATS = COLOR._replace(dtype="float32")
CASES = {
    "horizontal_flip": (p.HorizontalFlip(), COLOR),
    "vertical_flip": (p.VerticalFlip(), COLOR),
    "random_crop": (p.RandomCrop(40), COLOR),
    "random_crop of two sizes": (p.RandomCrop((64, 30)), FLOATS),
    "center_crop": (p.CenterCrop((20, 30)), COLOR),
    "five_crop": (p.FiveCrop(30), COLOR),
    "ten_crop": (p.TenCrop((30, 20)), COLOR),
    "pad": (p.Pad(4), COLOR),
    "resize": (p.Resize(32), COLOR),
    "resize to two sizes": (p.Resize((32, 100)), COLOR),
    "resize, nearest": (p.Resize(100, "nearest"), COLOR),
    "random_resized_crop": (p.RandomResizedCrop(24), COLOR),
    "rotation": (p.Rotation(30), COLOR),
    "rotation, bilinear": (p.Rotation(30, "bilinear"), COLOR),
    "shear": (p.Shear(20), COLOR),
    "elastic": (p.Elastic(10, 2), COLOR),
    "color_shift": (p.ColorShift(5), COLOR),
    "color_jitter": (p.ColorJitter(0.4, 0.4, 0.4, 0.1), COLOR),
    "color_jitter of floats": (p.ColorJitter(brightness=0.4, hue=0.1), FLOATS),
    "pca_color": (p.PcaColor(), FLOATS),
    "to_float": (p.ToFloat(), COLOR),
    "normalize": (p.Normalize(), FLOATS),
    "normalize, ten images": (p.Normalize(), FLOATS._replace(images=10)),
    "subtract_mean": (p.SubtractMean(), FLOATS),
}
