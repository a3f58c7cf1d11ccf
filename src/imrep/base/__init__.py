"""The interface: an image becomes a code; a code becomes a vector, an image, a picture."""

from imrep.base.fitted import Fitted
from imrep.base.learned import Bilingual, Learned, Supervised
from imrep.base.representation import Representation
from imrep.base.sum import Sum

__all__ = ["Bilingual", "Fitted", "Learned", "Representation", "Sum", "Supervised"]
