
#include <eml_net.h>
static const float mynet_layer_0_biases[10] = { -0.498110f, -0.366217f, 0.200321f, -0.481246f, 0.548443f, 0.201045f, -0.052715f, -0.895949f, -0.153898f, -0.184372f };
static const float mynet_layer_0_weights[40] = { -0.240098f, 0.007236f, 0.055658f, 0.152872f, 0.225034f, 0.133646f, 0.239732f, 0.104870f, 0.694103f, -0.188201f, 0.074278f, -0.251739f, 0.092524f, 0.651803f, -0.224254f, -0.601910f, -0.292316f, 0.018862f, 0.452152f, 0.478233f, 0.540541f, 0.297898f, -0.226516f, 0.458295f, -0.300940f, 0.080138f, -0.582071f, 0.315627f, 0.110171f, -0.214616f, -0.138203f, 0.399392f, -0.236363f, 0.173725f, -0.596896f, 0.009030f, -0.137121f, 0.125603f, 0.645555f, 0.106832f };
static const float mynet_layer_1_biases[3] = { -0.224302f, -0.182617f, -0.495203f };
static const float mynet_layer_1_weights[30] = { -0.025689f, -0.115907f, 0.830373f, -0.669665f, -0.418368f, -0.291203f, 0.340178f, -0.396709f, -0.044797f, -0.327407f, -0.529483f, -0.432168f, 0.287204f, -0.443815f, -0.559778f, -0.330744f, 0.568331f, -0.422537f, 0.452401f, -0.485760f, 0.544110f, -0.052574f, 0.587621f, 0.254232f, 0.348039f, -0.692242f, -0.198098f, -0.326249f, -0.409720f, -0.728254f };
static float mynet_buf1[10];
static float mynet_buf2[10];
static const EmlNetLayer mynet_layers[2] = { 
{ 10, 4, mynet_layer_0_weights, mynet_layer_0_biases, EmlNetActivationTanh }, 
{ 3, 10, mynet_layer_1_weights, mynet_layer_1_biases, EmlNetActivationSoftmax } };
static EmlNet mynet = { 2, mynet_layers, mynet_buf1, mynet_buf2, 10 };

    int32_t
    mynet_predict(const float *features, int32_t n_features)
    {
        return eml_net_predict(&mynet, features, n_features);
    }
    

    int32_t
    mynet_regress(const float *features, int32_t n_features, float *out, int32_t out_length)
    {
        return eml_net_regress(&mynet, features, n_features, out, out_length);
    }
    

    float
    mynet_regress1(const float *features, int32_t n_features)
    {
        return eml_net_regress1(&mynet, features, n_features);
    }
    