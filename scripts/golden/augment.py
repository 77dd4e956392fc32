"""What torchvision makes of pictures with given parameters, as JSON for test/data/augment/parity.test.ts.

    python scripts/golden/augment.py 5 6x7 > test/golden/augment.json     # the committed cases, from torchvision 0.28
    python scripts/golden/augment.py SEED HEIGHTxWIDTH                     # others, for the live comparison

{"shape", "images": {dtype: base64}, "cases": [{"operator", "dtype", "parameters": [one per picture], "options", "result": base64, "size"}]}:
each picture went through torchvision.transforms.v2.functional alone, with its own parameters. "space" is the policy whose operator it is.
"""

import base64
import json
import random
import sys

import torch


def import_functional():
    """torchvision's transforms need none of its compiled operators, but importing it fails where those cannot be loaded."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        try:
            library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            pass
    import torchvision.transforms.v2.functional as functional

    return functional, library


F, _library = import_functional()

COUNT = 5


def pictures(height, width, dtype, channels=3):
    """Smooth colours with noise, one even picture and one in black and white."""
    ramp = torch.linspace(0, 1, height).view(1, 1, -1, 1) * torch.rand(COUNT, channels, 1, 1)
    ramp = ramp + torch.linspace(0, 1, width).view(1, 1, 1, -1) * torch.rand(COUNT, channels, 1, 1)
    images = (ramp / 2 + torch.rand(COUNT, channels, height, width) * 0.5).clamp(0, 1)
    images[1] = images[1, :, :1, :1]
    images[2] = (images[2, :1] > 0.5).float()
    return (images * 255).to(torch.uint8) if dtype == "uint8" else images


def corners(height, width):
    u, v = width // 3, height // 3
    r = random.randrange
    return [[r(u), r(v)], [width - 1 - r(u), r(v)], [width - 1 - r(u), height - 1 - r(v)], [r(u), height - 1 - r(v)]]


def box(height, width):
    h, w = random.randint(1, height), random.randint(1, width)
    return {"top": random.randint(0, height - h), "left": random.randint(0, width - w), "height": h, "width": w}


def factor():
    return random.choice([0.0, 1.0, random.uniform(0, 2), random.uniform(0, 2), random.uniform(0, 2)])


def cases(height, width):
    """operator, parameter drawn for one picture, call with it, options."""
    u = random.uniform
    start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    yield "adjustBrightness", factor, lambda x, p, o: F.adjust_brightness(x, p), {}
    yield "adjustContrast", factor, lambda x, p, o: F.adjust_contrast(x, p), {}
    yield "adjustSaturation", factor, lambda x, p, o: F.adjust_saturation(x, p), {}
    yield "adjustHue", lambda: random.choice([0.0, 0.5, -0.5, u(-0.5, 0.5)]), lambda x, p, o: F.adjust_hue(x, p), {}
    yield "adjustSharpness", factor, lambda x, p, o: F.adjust_sharpness(x, p), {}
    yield "rgbToGrayscale", lambda: 0, lambda x, p, o: F.rgb_to_grayscale(x, num_output_channels=x.shape[-3]), {}
    yield "posterize", lambda: random.randint(0, 8), lambda x, p, o: F.posterize(x, p), {}
    top = lambda x: 255 if x.dtype == torch.uint8 else 1
    yield "solarize", lambda: random.choice([0.0, 0.5, 1.0, u(0, 1)]), lambda x, p, o: F.solarize(x, p * top(x)), {}
    yield "invert", lambda: 0, lambda x, p, o: F.invert(x), {}
    yield "autocontrast", lambda: 0, lambda x, p, o: F.autocontrast(x), {}
    yield "equalize", lambda: 0, lambda x, p, o: F.equalize(x), {}
    yield "horizontalFlip", lambda: 0, lambda x, p, o: F.horizontal_flip(x), {}
    yield "verticalFlip", lambda: 0, lambda x, p, o: F.vertical_flip(x), {}
    for size in ([height, width], [max(1, height // 2), max(1, width - 2)], [height + 3, width * 2]):
        for antialias in (True, False):
            options = {"size": size, "antialias": antialias}
            yield "resizedCrop", lambda: box(height, width), lambda x, p, o: F.resized_crop(
                x, p["top"], p["left"], p["height"], p["width"], size=o["size"], antialias=o["antialias"]
            ), options
    for mode in ("constant", "edge", "reflect", "symmetric"):
        yield "pad", lambda: 0, lambda x, p, o: F.pad(x, o["padding"], padding_mode=o["mode"]), {"padding": [1, 2, 3, 4], "mode": mode}
    yield "pad", lambda: 0, lambda x, p, o: F.pad(x, o["padding"], fill=o["fill"]), {"padding": [2, 0, 1, 3], "mode": "constant", "fill": 1}
    for size in (3, [5, 3]):
        yield "gaussianBlur", lambda: u(0.1, 2), lambda x, p, o: F.gaussian_blur(x, o["kernelSize"], p), {"kernelSize": size}
    for interpolation in ("nearest", "bilinear"):
        for fill in (0, None, [1.0, 0.5, 0.25]):
            options = {"interpolation": interpolation, "fill": fill}
            filled = lambda x, o: [v * top(x) for v in o["fill"]] if isinstance(o["fill"], list) else o["fill"]
            angle = lambda: random.choice([0.0, 90.0, 180.0, -90.0, u(-180, 180), u(-180, 180)])
            yield "rotate", angle, lambda x, p, o: F.rotate(x, p, interpolation=o["interpolation"], fill=filled(x, o)), options
            affine = lambda: {
                "angle": u(-180, 180), "translate": [random.randint(-3, 3), random.randint(-3, 3)],
                "scale": u(0.5, 2), "shear": [u(-30, 30), u(-30, 30)],
            }
            yield "affine", affine, lambda x, p, o: F.affine(
                x, p["angle"], p["translate"], p["scale"], p["shear"], interpolation=o["interpolation"], fill=filled(x, o)
            ), options
            yield "perspective", lambda: {"start": start, "end": corners(height, width)}, lambda x, p, o: F.perspective(
                x, p["start"], p["end"], interpolation=o["interpolation"], fill=filled(x, o)
            ), options
    center = {"interpolation": "bilinear", "fill": 0, "center": [1.0, 4.0]}
    yield "rotate", lambda: u(-180, 180), lambda x, p, o: F.rotate(x, p, interpolation="bilinear", fill=0, center=o["center"]), center
    yield "affine", affine, lambda x, p, o: F.affine(
        x, p["angle"], p["translate"], p["scale"], p["shear"], interpolation="bilinear", fill=0, center=o["center"]
    ), center


def encode(tensor):
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


def policies(images):
    """Every operator of RandAugment and TrivialAugmentWide at its strengths, as those classes call them."""
    from torchvision.transforms import v2

    names = {
        "Identity": "identity", "ShearX": "shearX", "ShearY": "shearY", "TranslateX": "translateX",
        "TranslateY": "translateY", "Rotate": "rotate", "Brightness": "brightness", "Color": "color",
        "Contrast": "contrast", "Sharpness": "sharpness", "Posterize": "posterize", "Solarize": "solarize",
        "AutoContrast": "autoContrast", "Equalize": "equalize",
    }
    for policy in (v2.RandAugment(), v2.TrivialAugmentWide()):
        space = "randAugment" if isinstance(policy, v2.RandAugment) else "trivialAugmentWide"
        for name, (strengths, signed) in policy._AUGMENTATION_SPACE.items():
            found = strengths(31, *images.shape[-2:])
            choices, results = [], []
            for k, image in enumerate(images):
                index = random.randrange(31)
                magnitude = 0.0 if found is None else float(found[index]) * (-1 if signed and k % 2 else 1)
                choices.append({"index": index, "magnitude": magnitude})
                results.append(policy._apply_image_or_video_transform(
                    image, name, magnitude, interpolation=policy.interpolation, fill=policy._fill))
            yield space, names[name], choices, torch.stack(results)


def main(seed, height, width):
    random.seed(seed)
    torch.manual_seed(seed)
    images = {dtype: pictures(height, width, dtype) for dtype in ("uint8", "float32")}
    found = []

    def note(operator, dtype, parameters, options, result, **more):
        result = {"result": encode(result), "size": list(result.shape)}
        found.append({"operator": operator, "dtype": dtype, "parameters": parameters, "options": options, **more, **result})

    for dtype, batch in images.items():
        for operator, draw, call, options in cases(height, width):
            parameters = [draw() for _ in range(COUNT)]
            note(operator, dtype, parameters, options, torch.stack([call(x, p, options) for x, p in zip(batch, parameters)]))
        for space, operator, choices, result in policies(batch):
            note(operator, dtype, choices, {}, result, space=space)
    shape = list(images["uint8"].shape)
    print(json.dumps({"shape": shape, "images": {k: encode(v) for k, v in images.items()}, "cases": found}, separators=(",", ":")))


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(int, sys.argv[2].split("x")))
