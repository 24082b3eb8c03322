"""Data augmentation: what a pipeline does to an image, and what it costs.

A pipeline is a list of steps, each a class: `costcalc.augment([RandomCrop(224)], image=(3, 256, 256))`. They are here
by their names, with what a step of a reader's own needs; running them is torch_backend's.
"""

from costcalc.pipeline.color_steps import ColorJitter as ColorJitter
from costcalc.pipeline.color_steps import ColorShift as ColorShift
from costcalc.pipeline.color_steps import PcaColor as PcaColor
from costcalc.pipeline.crop_steps import CenterCrop as CenterCrop
from costcalc.pipeline.crop_steps import FiveCrop as FiveCrop
from costcalc.pipeline.crop_steps import Pad as Pad
from costcalc.pipeline.crop_steps import RandomCrop as RandomCrop
from costcalc.pipeline.crop_steps import TenCrop as TenCrop
from costcalc.pipeline.image_tensor import ImageTensor as ImageTensor
from costcalc.pipeline.resize_steps import RandomResizedCrop as RandomResizedCrop
from costcalc.pipeline.resize_steps import Resize as Resize
from costcalc.pipeline.step_base import CONTINUOUS as CONTINUOUS
from costcalc.pipeline.step_base import STEPS as STEPS
from costcalc.pipeline.step_base import Step as Step
from costcalc.pipeline.step_base import any_image as any_image
from costcalc.pipeline.step_base import continuous as continuous
from costcalc.pipeline.step_base import one_view as one_view
from costcalc.pipeline.step_base import only_moves as only_moves
from costcalc.pipeline.step_base import single_image as single_image
from costcalc.pipeline.step_base import step as step
from costcalc.pipeline.step_base import unchanged as unchanged
from costcalc.pipeline.value_steps import Normalize as Normalize
from costcalc.pipeline.value_steps import SubtractMean as SubtractMean
from costcalc.pipeline.value_steps import ToFloat as ToFloat
from costcalc.pipeline.warp_steps import Elastic as Elastic
from costcalc.pipeline.warp_steps import HorizontalFlip as HorizontalFlip
from costcalc.pipeline.warp_steps import Rotation as Rotation
from costcalc.pipeline.warp_steps import Shear as Shear
from costcalc.pipeline.warp_steps import VerticalFlip as VerticalFlip
