"""SageMaker Studio, which practice mode does not have."""

from labs.tests.kinds.examples.world import Example

EXAMPLES = {
    "sagemaker-studio-domain": Example(),
    "sagemaker-studio-profile": Example(),
    "sagemaker-studio-space": Example(params=lambda account: {"gb": 5}, running={"disk_gb": 5}),
    "sagemaker-studio-app": Example(running={"app_type": "JupyterLab", "type": "ml.t3.medium"}),
}
