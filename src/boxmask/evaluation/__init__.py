"""How good a model is: COCO's and VOC's average precision, by class, with confidence intervals."""
