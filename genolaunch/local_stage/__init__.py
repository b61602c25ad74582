"""What Genolaunch brings to the embedded cloud: its settings there, its images, and how the app is deployed to it."""
