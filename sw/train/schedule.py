"""Phases of training: which mode each block is in at a step, and what ADMM does between steps.

| kind    | blocks | what happens |
|---|---|---|
| float   | all float | |
| gradual | stage i: before i hard, i noisy, after i float; at the end all hard | a stage lasts `epochs_per_block` epochs (NICE); `freeze_done`: weights of hard blocks stay as they are |
| hard    | all hard | |
| prune   | ADMM's penalty pulls towards pruned weights | Z and U are updated every `update_steps` steps |
| masked  | pruned weights are 0, the others are trained | |
| levels  | pruned; the penalty pulls towards the levels | as prune |
| fixing  | pruned; `rounds` times 30 % of each level's weights are fixed | at the start of each round |

Every other method takes part in ADMM's phases as in "hard". A phase starts with a fresh optimizer and a learning rate of its own.
"""
from methods import FLOAT, HARD, NOISY, AdmmWeight, set_mode
from methods.admm import FIXING, LEVELS, MASKED, PRUNE

KINDS = ("float", "gradual", "hard", "prune", "masked", "levels", "fixing")
ADMM_KINDS = {"prune": PRUNE, "masked": MASKED, "levels": LEVELS, "fixing": FIXING}


def gradual_modes(count, stage):
    """Modes of `count` blocks at a stage."""
    return [HARD if i < stage else NOISY if i == stage else FLOAT for i in range(count)]


class Schedule:
    """`phase`: its table of the recipe; `steps`: training steps per epoch. Call `before_step` and `after_step` around each step."""

    def __init__(self, phase, blocks, steps):
        self.kind, self.blocks, self.steps = phase["kind"], blocks, steps
        self.total = int(phase["epochs"] * steps)
        self.per_block = phase.get("epochs_per_block", 1)
        self.update_steps = phase.get("update_steps", steps)
        self.freeze_done = phase.get("freeze_done", False)
        rounds = phase.get("rounds", 1)
        self.rounds = {int(i * self.total / rounds) for i in range(rounds)}
        self.stage = None

    @property
    def has_penalty(self):
        return self.kind in ("prune", "levels")

    def admm_blocks(self):
        return [block for block in self.blocks if isinstance(block.quantizer, AdmmWeight)]

    def before_step(self, step):
        """Sets the modes for step `step` of the phase, from 0 on. The same for an interrupted phase that goes on at `step`."""
        stage = int(step / self.steps / self.per_block) if self.kind == "gradual" else 0
        if stage != self.stage:
            self.stage = stage
            self._enter()
        if self.kind == "fixing" and step in self.rounds:
            for block in self.admm_blocks():
                block.quantizer.fix(block.weight)

    def _enter(self):
        modes = gradual_modes(len(self.blocks), self.stage)
        for i, (block, mode) in enumerate(zip(self.blocks, modes)):
            if self.kind != "gradual":
                admm = isinstance(block.quantizer, AdmmWeight)
                mode = FLOAT if self.kind == "float" else ADMM_KINDS.get(self.kind, HARD) if admm else HARD
            block.enter(mode)
            block.weight.requires_grad_(not (self.freeze_done and self.kind == "gradual" and i < self.stage))

    def penalty(self):
        """What is added to the loss, or 0."""
        return sum(block.quantizer.penalty(block.weight) for block in self.admm_blocks()) if self.has_penalty else 0

    def after_step(self, step):
        if self.has_penalty and (step + 1) % self.update_steps == 0:
            for block in self.admm_blocks():
                block.quantizer.update(block.weight)

    def finish(self):
        """For measuring: the network as the phase leaves it, in float or as the hardware computes it."""
        set_mode(self.blocks, FLOAT if self.kind == "float" else HARD)
        self.stage = None
