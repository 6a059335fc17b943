"""What can be asked of the objects, and how: endpoints, types, samples, the answers to prove."""
