"""Networks of torchvision and timm, a small one of each family, verified as `costcalc verify` does: the module itself
runs under torch's counter, forward and backward, and every module of it is compared.

    python tests/nightly/verify_modules.py [NAME ...]

Prints a line for each, and ends with 1 if one differs.
"""

import sys
import time

from costcalc.torch_backend import verify_net

NAMES = {
    "torchvision": """
    alexnet vgg11_bn resnet18 resnext50_32x4d squeezenet1_1 densenet121 googlenet inception_v3
    shufflenet_v2_x1_0 mobilenet_v2 mobilenet_v3_small mnasnet0_5 efficientnet_b0 regnet_y_400mf convnext_tiny
    vit_b_16 swin_t swin_v2_t maxvit_t fcn_resnet50 deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large
    r3d_18 mvit_v2_s swin3d_t s3d
    """,
    "timm": """
    beit_base_patch16_224 cait_xxs24_224 coat_lite_tiny coatnet_nano_rw_224 convit_tiny convmixer_768_32
    crossvit_tiny_240 cspdarknet53 davit_tiny deit_tiny_patch16_224 dla34 dm_nfnet_f0 dpn68 eca_nfnet_l0
    edgenext_xx_small efficientformer_l1 efficientvit_b0 eva02_tiny_patch14_224 fastvit_t8 focalnet_tiny_srf
    gcvit_xxtiny gernet_s ghostnet_100 hardcorenas_a hgnet_tiny hiera_tiny_224 hrnet_w18_small
    inception_next_tiny lambda_resnet26t lcnet_050 levit_128s maxxvit_rmlp_nano_rw_256 mixer_s16_224
    mobilenetv4_hybrid_medium mobileone_s0 mobilevit_xxs mvitv2_tiny nest_tiny nf_resnet50 pit_ti_224
    poolformer_s12 pvt_v2_b0 regnetx_002 repvgg_a0 res2net50_14w_8s resmlp_12_224 resnetv2_50x1_bit rexnet_100
    samvit_base_patch16_224 selecsls42 sequencer2d_s skresnet18 swin_tiny_patch4_window7_224
    swinv2_cr_tiny_ns_224 tf_efficientnet_b0 tinynet_e tiny_vit_5m_224 tnt_s_patch16_224 tresnet_m
    twins_svt_small visformer_tiny vit_tiny_patch16_224 volo_d1_224 xception41 xcit_nano_12_p16_224
    """,
}


def main() -> int:
    """Verifies those that are named, or all."""
    names = sys.argv[1:] or [f"{zoo}:{name}" for zoo, text in NAMES.items() for name in text.split()]
    same = 0
    for name in names:
        start = time.perf_counter()
        found = verify_net(name)
        same += found.ok
        print(f"{name}: {found.verdict}, {len(found.modules)} modules, {time.perf_counter() - start:.1f} s", flush=True)
    print(f"{same} of {len(names)} are the same")
    return int(same < len(names))


if __name__ == "__main__":
    sys.exit(main())
