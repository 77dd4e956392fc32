"""What TensorBoard itself reads from a folder of event files, as JSON; and what PyTorch's writer writes for one scalar."""
import base64, io, json, sys
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.compat.proto.graph_pb2 import GraphDef
from PIL import Image

if sys.argv[1] == "scalar":
    from tensorboard.compat.proto.event_pb2 import Event
    from torch.utils.tensorboard.summary import scalar
    event = Event(summary=scalar("loss/train", 0.1), wall_time=1763800000.25, step=1234567)
    first = Event(wall_time=1763800000.25, step=0, file_version="brain.Event:2")
    from tensorboard.summary.writer.record_writer import RecordWriter
    out = io.BytesIO(); out.close = lambda: None
    writer = RecordWriter(out)
    for e in (first, event):
        writer.write(e.SerializeToString())
    print(json.dumps(base64.b64encode(out.getvalue()).decode()))
    sys.exit()
if sys.argv[1] == "histogram":
    from torch.utils.tensorboard.summary import make_histogram
    from torch.utils.tensorboard import SummaryWriter
    bins = []
    v = 1e-12; buckets = []; neg = []
    while v < 1e20:
        buckets.append(v); neg.append(-v); v *= 1.1
    bins = neg[::-1] + [0] + buckets
    def one(values):
        h = make_histogram(np.array(values), bins)
        return dict(min=h.min, max=h.max, num=h.num, sum=h.sum, sumSquares=h.sum_squares, bucketLimit=list(h.bucket_limit), bucket=list(h.bucket))
    print(json.dumps([one(values) for values in json.load(sys.stdin)]))
    sys.exit()
def image(e):
    picture = Image.open(io.BytesIO(e.encoded_image_string)).convert("RGB")
    return dict(step=e.step, width=e.width, height=e.height, pixels=np.asarray(picture).reshape(-1).tolist())
def histogram(e):
    h = e.histogram_value
    return dict(step=e.step, min=h.min, max=h.max, num=h.num, sum=h.sum, sumSquares=h.sum_squares, bucketLimit=list(h.bucket_limit), bucket=list(h.bucket))
def tensor(e):
    t = e.tensor_proto
    return dict(step=e.step, text=[s.decode() for s in t.string_val], floats=list(t.float_val), shape=[d.size for d in t.tensor_shape.dim])
def read(folder):
    acc = EventAccumulator(folder, size_guidance={k: 0 for k in ("scalars", "images", "histograms", "tensors")})
    acc.Reload()
    tags = acc.Tags()
    hparams = {}
    metadata = acc.summary_metadata
    for tag, meta in metadata.items():
        if meta.plugin_data.plugin_name == "hparams":
            data = HParamsPluginData.FromString(meta.plugin_data.content)
            if tag.endswith("session_start_info"):
                for k, v in data.session_start_info.hparams.items():
                    hparams[k] = getattr(v, v.WhichOneof("kind"))
            if tag.endswith("experiment"):
                hparams["metrics"] = [m.name.tag for m in data.experiment.metric_infos]
                hparams["types"] = {i.name: i.type for i in data.experiment.hparam_infos}
            if tag.endswith("session_end_info"):
                hparams["status"] = data.session_end_info.status
    graph = None
    if tags["graph"]:
        graph = [dict(name=n.name, op=n.op, inputs=list(n.input), shape=[d.size for d in n.attr["_output_shapes"].list.shape[0].dim] if "_output_shapes" in n.attr else None) for n in acc.Graph().node]
    return dict(
        scalars={t: [[e.wall_time, e.step, e.value if np.isfinite(e.value) else str(e.value)] for e in acc.Scalars(t)] for t in tags["scalars"]},
        images={t: [image(e) for e in acc.Images(t)] for t in tags["images"]},
        histograms={t: [histogram(e) for e in acc.Histograms(t)] for t in tags["histograms"]},
        tensors={t: [tensor(e) for e in acc.Tensors(t)] for t in tags["tensors"]},
        hparams=hparams, graph=graph)

print(json.dumps({folder: read(folder) for folder in sys.argv[2:]}))
