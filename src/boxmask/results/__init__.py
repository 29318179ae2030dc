"""Write results to files: pictures, COCO, LabelMe, label maps."""
